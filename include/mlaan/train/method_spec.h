// Method specs: a method's name with settings of its own, "checkpoint:checkpoint.segments=8".
#pragma once

#include <mlaan/train/config.h>
#include <mlaan/train/settings.h>

#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// A method to compare: NAME or NAME:key=value:key=value …, with the keys of configuration files.
/// Colons and commas within brackets or quotes belong to the value: lam:lam.rows=["layer1.0
/// layer2.0", "layer3.0"].
struct MethodSpec {
  std::string text;  ///< as given; results carry it as their name
  std::string method;
  std::vector<Assignment> settings;

  /// \throws UserError for an unknown method, a malformed list of assignments, and a key that the
  ///         method does not read or that all methods of a comparison share (model, batch, data,
  ///         seed, device …).
  static MethodSpec parse(const std::string& text);

  /// A copy of the settings, overridden by the spec's own.
  /// \throws UserError for a value that is not accepted.
  Settings applied_to(const Settings& settings) const;
};

/// Resolves `method` where it is a spec, as in --method mlm:mlm.window=3: it becomes the name alone,
/// and the spec's own settings override the others. A path that exists is no spec, whatever its
/// name.
/// \throws UserError as MethodSpec::parse() and for a value that is not accepted.
void apply_method_settings(Config& config);

/// Splits a list of specs at its commas.
std::vector<std::string> split_method_specs(const std::string& list);

}  // namespace mlaan

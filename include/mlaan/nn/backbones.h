// The backbones that can be asked for by name.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/registry.h>
#include <mlaan/core/term.h>
#include <mlaan/nn/backbone.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// Assignments that follow a backbone's name: patch=8, pool=mean.
using BackboneSettings = std::vector<Assignment>;

struct BackboneEntry {
  std::string name;     ///< "resnet32"
  std::string summary;  ///< one line for `mlaan info models`
  /// \param input_shape of one image, {channels, height, width}.
  std::function<Backbone(std::int64_t classes, const Shape& input_shape)> make;
  /// The same, with settings; null where it has none.
  std::function<Backbone(std::int64_t classes, const Shape& input_shape,
                         const BackboneSettings& settings)>
      make_with = nullptr;
};

/// A backbone's options (a struct with `section` "" and `describe`), with what is set.
/// \throws UserError for a setting that is none of them, or a value that is not accepted.
template <class T>
T read_settings(const std::string& backbone, const BackboneSettings& settings) {
  OptionSet options;
  T& read = options.get<T>();
  for (const auto& [key, value] : settings) options.assign_text(key, value, "model " + backbone);
  return read;
}

const Registry<BackboneEntry>& backbone_registry();

/// Makes a backbone whose weights are a pure function of its name, the sizes and the seed.
/// \param name of an entry, or, where that has settings, NAME:key=value:key=value; or a TorchScript
///        file (see scripted_backbone()), which brings weights of its own.
/// \throws UserError for an unknown name, naming the nearest known one, and for settings that there
///         are not.
Backbone make_backbone(const std::string& name, std::int64_t classes, const Shape& input_shape,
                       std::uint64_t seed);

}  // namespace mlaan

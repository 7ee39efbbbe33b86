// The registry of backbones.
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

/// Settings that follow a backbone's name: patch=8, pool=mean.
using BackboneSettings = std::vector<Assignment>;

struct BackboneEntry {
  std::string name;     ///< "resnet32"
  std::string summary;  ///< one line for `mlaan info models`
  /// \param input_shape of one image, {channels, height, width}.
  std::function<Backbone(std::int64_t classes, const Shape& input_shape)> make;
  /// Like `make`, with settings; null if the backbone has none.
  std::function<Backbone(std::int64_t classes, const Shape& input_shape,
                         const BackboneSettings& settings)>
      make_with = nullptr;
};

/// Applies settings to a backbone's options, a struct with `section` "" and `describe`.
/// \throws UserError for an unknown setting, or a value that is not accepted.
template <class T>
T read_settings(const std::string& backbone, const BackboneSettings& settings) {
  OptionSet options;
  T& read = options.get<T>();
  for (const auto& [key, value] : settings) options.assign_text(key, value, "model " + backbone);
  return read;
}

const Registry<BackboneEntry>& backbone_registry();

/// Makes a backbone whose weights are a pure function of its name, the sizes and the seed.
/// \param name of an entry, NAME:key=value:key=value for an entry with settings, or the path of a
///        TorchScript file, which has its own weights (see scripted_backbone()).
/// \throws UserError for an unknown name, naming the nearest known one, and for unknown settings.
Backbone make_backbone(const std::string& name, std::int64_t classes, const Shape& input_shape,
                       std::uint64_t seed);

}  // namespace mlaan

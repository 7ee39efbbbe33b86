// The backbones that can be asked for by name.
#pragma once

#include <mlaan/core/registry.h>
#include <mlaan/nn/backbone.h>

#include <cstdint>
#include <functional>
#include <string>

namespace mlaan {

struct BackboneEntry {
  std::string name;     ///< "resnet32"
  std::string summary;  ///< one line for `mlaan info models`
  /// \param input_shape of one image, {channels, height, width}.
  std::function<Backbone(std::int64_t classes, const Shape& input_shape)> make;
};

const Registry<BackboneEntry>& backbone_registry();

/// Makes a backbone whose weights are a pure function of its name, the sizes and the seed.
/// \throws UserError for an unknown name, naming the nearest known one.
Backbone make_backbone(const std::string& name, std::int64_t classes, const Shape& input_shape,
                       std::uint64_t seed);

}  // namespace mlaan

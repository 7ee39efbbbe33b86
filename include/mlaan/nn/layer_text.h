// Layers of auxiliary nets as text: what methods are written in, what plan files hold.
//
// A layer is one line: its kind, what the kind needs, and, in any order, what it may have.
//
//     conv 3x3 32 [stride 2] [bias]   convolution to 32 channels, batch normalisation, ReLU
//          [upsampled 32x32]          reads the map as upsample would bring it to that size; where
//                                     that takes less work, the larger map is never made
//     filter 3x3 16 [bias]            convolution to 16 channels, and nothing behind it
//     project 16                      linear layer without bias, for flat features
//     dense 64                        linear layer, batch normalisation, ReLU, for flat features
//     hidden 128                      global average pooling of maps, linear layer, ReLU
//     linear 10 [zero]                global average pooling of maps, linear layer; with zero it
//                                     starts from zeros
//     batch_norm
//     average_pool 2x2 [floor]        averages over squares of so many positions, which divide the
//                                     map's sides; with floor what is left over is left out
//     adaptive_pool 2x2               averages to a map of so many positions
//     upsample 32x32                  bilinear, to a map of so many positions, corners aligned
//     flatten
//     group 2                         averages groups of so many channels
//     leap layer3.0 [narrow 2] [twin 0.995]   a copy of a unit of the backbone, narrower by that
//                                     factor; with a twin its output is added: a frozen copy that
//                                     follows the unit with that momentum
//          [tied]                     or, instead of a twin, tied to its unit: it reads the unit's
//                                     own weights and is not trained
//     readout                         the backbone's own head, read in the same way
//     fresh layer3.0 [stride 2] [twin 0.995]  a block of the form of that unit, freshly initialised
//
// Sequences of tokens are read by leap and fresh, by project (each token by itself), group,
// average_pool (neighbouring patches; the class token stays), flatten, and by
//
//     transformer [heads 3]           a block of a vision transformer, freshly initialised
//     class_token                     the class token, layer normalisation
//     mean_token                      the mean of the other tokens, layer normalisation
//     map                             the tokens as a map, without the class token
//
// linear and hidden read the class token, normalised, where there is one, else the mean.
//
// Parameters are called conv1.weight, bn1.weight, fc.weight (fc1, fc2 where there are several
// linear layers), norm1.weight, block.0.mlp.0.weight, leap.0.conv1.weight, leap.0.copy.… and
// leap.0.twin.… where there is a twin.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/parameter_average.h>
#include <mlaan/nn/unit.h>

#include <string>
#include <vector>

namespace mlaan {

using LayerTexts = std::vector<std::string>;

/// The layers of a net, and what keeps the twins among them up to date.
struct BuiltLayers {
  std::vector<Unit> units;  ///< one for each text, which is its description
  std::vector<ParameterAverage> averages;
};

/// Makes the layers. Weights come from LibTorch's default generator.
/// \param features shape of what the first of them reads, without the batch.
/// \throws UserError naming the text that is no layer, or the layer that cannot read what the one
///         before gives.
BuiltLayers build_layers(const LayerTexts& texts, const Shape& features, const Backbone& backbone);

/// The units that layers of these texts are tied to.
std::vector<std::size_t> tied_units(const LayerTexts& texts, const Backbone& backbone);

/// Shape of what the layers give, found without making them.
/// \throws UserError as build_layers().
Shape output_shape_of(const LayerTexts& texts, const Shape& features, const Backbone& backbone);

/// "32x16"
std::string size_text(std::int64_t height, std::int64_t width);

}  // namespace mlaan

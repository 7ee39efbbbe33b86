// Layers of auxiliary nets as text, as methods and plan files specify them.
//
// A layer is one line: its kind, the kind's arguments, then options in any order.
//
//     conv 3x3 32 [stride 2] [bias]   convolution to 32 channels, batch normalisation, ReLU
//          [upsampled 32x32]          interpolates the map to that size first, as `upsample` does;
//                                     the larger map is not computed if that takes less work
//     filter 3x3 16 [bias]            convolution to 16 channels, without normalisation or ReLU
//     project 16                      linear layer without bias, for flat features
//     dense 64                        linear layer, batch normalisation, ReLU, for flat features
//     hidden 128                      global average pooling of maps, linear layer, ReLU
//     linear 10 [zero]                global average pooling of maps, linear layer; with zero its
//                                     parameters are initialised to 0
//     batch_norm                      batch normalisation
//     average_pool 2x2 [floor]        average pooling over squares of 2x2 positions, which must
//                                     divide the map's sides; with floor the rest is left out
//     adaptive_pool 2x2               adaptive average pooling to 2x2 positions
//     upsample 32x32                  bilinear interpolation to 32x32 positions, corners aligned
//     flatten
//     group 2                         averages groups of 2 neighbouring channels
//     leap layer3.0 [narrow 2] [twin 0.995]   a trained copy of a unit of the backbone, with the
//                                     channels divided by `narrow`; with a twin, the output of a
//                                     frozen copy that follows the unit with that momentum is added
//          [tied]                     excludes a twin: the layer shares the unit's own weights and
//                                     is not trained
//     readout                         the backbone's own head, whose weights are shared in the same
//                                     way
//     fresh layer3.0 [stride 2] [twin 0.995]  a newly initialised block of the form of that unit
//
// Any layer with parameters accepts the word `frozen`: gradients pass through it to its input, and
// its parameters stay as they are, without gradients or optimizer state. Its batch normalisations
// go on with the statistics of the batch.
//
// Layers that accept sequences of tokens: leap, fresh, project (each token by itself), group,
// average_pool (neighbouring patches; the other tokens are kept), flatten, and
//
//     transformer [heads 3]           a newly initialised block of a vision transformer
//     class_token                     the class token, layer normalisation
//     mean_token                      the mean of the patches, layer normalisation
//     map                             the patches among the tokens as a map
//
// linear and hidden read the normalised class token if there is one, else the normalised mean.
//
// Parameters are named conv1.weight, bn1.weight, fc.weight (fc1, fc2 where there are several
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

/// The layers of a net, and the moving averages that update their twins.
struct BuiltLayers {
  std::vector<Unit> units;  ///< one for each text, which becomes its description
  std::vector<ParameterAverage> averages;
};

/// Makes the layers. Weights come from LibTorch's default generator.
/// \param features shape of the first layer's input, without the batch.
/// \throws UserError naming the text that is not a layer, or the layer that cannot read the output
///         of the layer before it.
BuiltLayers build_layers(const LayerTexts& texts, const Shape& features, const Backbone& backbone);

/// Indices of the backbone's units that layers of these texts are tied to.
std::vector<std::size_t> tied_units(const LayerTexts& texts, const Backbone& backbone);

/// Shape of the layers' output, without the batch, found without making the layers.
/// \throws UserError as build_layers().
Shape output_shape_of(const LayerTexts& texts, const Shape& features, const Backbone& backbone);

/// "32x16" for height 32 and width 16.
std::string size_text(std::int64_t height, std::int64_t width);

}  // namespace mlaan

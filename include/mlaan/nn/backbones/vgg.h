// VGG networks with batch normalisation, and the VGG networks of PredSim.
//
// Simonyan and Zisserman 2015, arXiv:1409.1556; Nøkland and Eidnes 2019, arXiv:1901.06656.
#pragma once

#include <mlaan/nn/backbones.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// Channels of the convolutions in order; 0 stands for max pooling 2×2.
using VggLayers = std::vector<std::int64_t>;

/// Units `features.0`, `features.3` …: convolution 3×3, batch normalisation, ReLU and, if one
/// follows, max pooling. The head: adaptive average pooling to 7×7, three linear layers
/// (`classifier.0`, `3`, `6`) with ReLU and dropout 0.5 between. Names and initial weights are
/// torchvision's.
Backbone vgg_bn(const std::string& name, const VggLayers& layers, std::int64_t classes,
                const Shape& input_shape = {3, 224, 224});

/// Options of a VGG of PredSim.
struct PredsimVggOptions {
  static constexpr const char* section = "";
  /// Dropout probability at the end of each unit, from 0 to 0.99.
  double dropout = 0;

  void describe(FieldList& fields);
};

/// Units `features.0` … as above, but with leaky ReLU (slope 0.01), convolutions without bias, and
/// dropout at the end of each; then the unit `fc1`: a linear layer of 1024 outputs, batch
/// normalisation, leaky ReLU, dropout. The head `fc2` is a linear layer.
Backbone vgg_predsim(const std::string& name, const VggLayers& layers, std::int64_t classes,
                     const Shape& input_shape, const PredsimVggOptions& options = {});

/// Entries: vgg11_bn, 13, 16 and 19; vgg8b and vgg11b.
std::vector<BackboneEntry> vgg_entries();

}  // namespace mlaan

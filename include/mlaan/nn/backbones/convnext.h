// ConvNeXts (Liu et al. 2022, arXiv:2201.03545).
#pragma once

#include <mlaan/nn/backbones.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// ConvNeXt-Tiny: units `features.0` (convolution 4×4 of stride 4, layer normalisation) and
/// `features.1.0` … `features.7.2`, one for each block; the downsampling before a stage belongs to
/// the stage's first block. The head: global average pooling, layer normalisation, linear layer
/// (`classifier.0`, `2`). Names and initial weights are torchvision's. Training uses stochastic
/// depth, with a share that grows from 0 at the first block to 0.1 at the last.
Backbone convnext_tiny(std::int64_t classes, const Shape& input_shape = {3, 224, 224});

/// Entry: convnext_tiny.
std::vector<BackboneEntry> convnext_entries();

}  // namespace mlaan

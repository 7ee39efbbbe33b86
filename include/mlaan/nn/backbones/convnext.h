// ConvNeXts (Liu et al. 2022, arXiv:2201.03545).
#pragma once

#include <mlaan/nn/backbones.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// ConvNeXt-Tiny: units `features.0` (convolution 4×4 of stride 4, layer normalisation) and
/// `features.1.0` … `features.7.2`, one for each block; the halving ahead of a stage belongs to its
/// first block. The head: averaging, layer normalisation, linear layer (`classifier.0`, `2`). Names
/// and initial weights as torchvision's; in training a block leaves out its branch for a sample by
/// chance, the last block for one of ten.
Backbone convnext_tiny(std::int64_t classes, const Shape& input_shape = {3, 224, 224});

/// convnext_tiny
std::vector<BackboneEntry> convnext_entries();

}  // namespace mlaan

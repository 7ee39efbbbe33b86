// ResNets and ResNeXts for large pictures (He et al. 2016, arXiv:1512.03385, table 1; Xie et al.
// 2017, arXiv:1611.05431).
#pragma once

#include <mlaan/nn/backbones.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// What the networks of this family differ in.
struct ResnetForm {
  std::string name;
  std::array<std::int64_t, 4> blocks{};  ///< of each stage
  bool bottlenecks = false;              ///< blocks of three convolutions instead of two
  std::int64_t groups = 1;               ///< of a bottleneck's 3×3 convolution
  std::int64_t width_per_group = 64;     ///< in the first stage; doubled by each stage
};

/// Units `stem` (convolution 7×7 of stride 2, batch normalisation, ReLU, pooling 3×3 of stride 2),
/// `layer1.0` … and the head `fc` behind global average pooling; parameters are called as
/// torchvision's. The output of the stages has 64, 128, 256 and 512 channels, four times as many
/// with bottlenecks.
Backbone resnet(const ResnetForm& form, std::int64_t classes,
                const Shape& input_shape = {3, 224, 224});

/// resnet18, 34, 50, 101 and 152, resnext50_32x4d, resnext101_32x8d.
std::vector<BackboneEntry> resnet_entries();

}  // namespace mlaan

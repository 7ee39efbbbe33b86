// ResNets and ResNeXts for large pictures.
//
// He et al. 2016, arXiv:1512.03385, table 1; Xie et al. 2017, arXiv:1611.05431.
#pragma once

#include <mlaan/nn/backbones.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// What distinguishes the networks of this family.
struct ResnetForm {
  std::string name;
  std::array<std::int64_t, 4> blocks{};  ///< number in each stage
  bool bottlenecks = false;              ///< whether blocks have three convolutions instead of two
  std::int64_t groups = 1;               ///< of a bottleneck's 3×3 convolution
  std::int64_t width_per_group = 64;     ///< channels in the first stage; each stage doubles them
};

/// Units `stem` (convolution 7×7 of stride 2, batch normalisation, ReLU, pooling 3×3 of stride 2),
/// `layer1.0` … and the head: global average pooling and the linear layer `fc`. Parameters have
/// torchvision's names. The outputs of the stages have 64, 128, 256 and 512 channels, with
/// bottlenecks four times as many.
Backbone resnet(const ResnetForm& form, std::int64_t classes,
                const Shape& input_shape = {3, 224, 224});

/// Entries: resnet18, 34, 50, 101 and 152, resnext50_32x4d, resnext101_32x8d.
std::vector<BackboneEntry> resnet_entries();

}  // namespace mlaan

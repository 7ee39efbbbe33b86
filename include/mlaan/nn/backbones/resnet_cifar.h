// CIFAR ResNets: ResNet-(6n+2) of He et al. 2016 (arXiv:1512.03385), section 4.2.
#pragma once

#include <mlaan/nn/backbone.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

#include <cstdint>

namespace mlaan {

/// Convolution 3×3, batch normalisation, ReLU: `conv1`, `bn1`.
class CifarStemImpl : public torch::nn::Cloneable<CifarStemImpl> {
 public:
  CifarStemImpl(std::int64_t in_channels, std::int64_t out_channels);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input);

 private:
  std::int64_t in_channels_;
  std::int64_t out_channels_;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
};
TORCH_MODULE(CifarStem);

/// A CIFAR ResNet: units `stem`, then `layer1.0` and so on to the last of `layer3`, of 16, 32 and
/// 64 channels, and the head: global average pooling and the linear layer `fc`. Convolutions are
/// initialised from N(0, √(2 / (k²·C_out))). Weights come from LibTorch's default generator.
/// \param depth 6n + 2: 8, 14, 20, 32, 44, 56, 110, 1202, …
/// \param input_shape of one image, {channels, height, width}.
/// \throws UserError for another depth.
Backbone resnet_cifar(std::int64_t depth, std::int64_t classes,
                      const Shape& input_shape = {3, 32, 32});

}  // namespace mlaan

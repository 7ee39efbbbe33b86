// Convolution, batch normalisation and ReLU, the layer that auxiliary nets are mostly made of.
#pragma once

#include <mlaan/nn/layers/upsampled_convolution.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>

#include <optional>
#include <string>

namespace mlaan {

/// relu(normalisation(convolution(input))). With `upsampled`, the input is first interpolated to
/// that size. With the number "1", parameters are "conv1.weight", "bn1.weight", …
class ConvNormReluImpl : public torch::nn::Cloneable<ConvNormReluImpl> {
 public:
  ConvNormReluImpl(const torch::nn::Conv2dOptions& options, std::string number,
                   std::optional<MapSize> upsampled = std::nullopt);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::Conv2dOptions options_;
  std::string number_;
  std::optional<MapSize> upsampled_;
  torch::nn::Conv2d convolution_{nullptr};
  torch::nn::BatchNorm2d normalisation_{nullptr};
};
TORCH_MODULE(ConvNormRelu);

}  // namespace mlaan

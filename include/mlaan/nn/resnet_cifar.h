// CIFAR ResNets: ResNet-(6n+2) of He et al. 2016 (arXiv:1512.03385), section 4.2.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/fresh_block.h>
#include <mlaan/nn/rebuilds_activations.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
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

/// A residual block of two 3×3 convolutions: `conv1`, `bn1`, `conv2`, `bn2`, and, where the shape
/// changes, a shortcut of a 1×1 convolution and a batch normalisation: `downsample`.
/// (batch, in_channels, h, w) → (batch, out_channels, ⌈h/stride⌉, ⌈w/stride⌉)
class BasicBlockImpl : public torch::nn::Cloneable<BasicBlockImpl>,
                       public RebuildsActivations,
                       public FreshBlock {
 public:
  BasicBlockImpl(std::int64_t in_channels, std::int64_t out_channels, std::int64_t stride);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input);
  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const override;

 private:
  std::int64_t in_channels_;
  std::int64_t out_channels_;
  std::int64_t stride_;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  torch::nn::Conv2d conv2_{nullptr};
  torch::nn::BatchNorm2d bn2_{nullptr};
  torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(BasicBlock);

/// A CIFAR ResNet: units `stem`, `layer1.0` … `layer3.{n−1}` of 16, 32 and 64 channels, and the
/// head `fc` behind global average pooling. Convolutions start from N(0, √(2 / (k²·C_out))).
/// Weights come from LibTorch's default generator.
/// \param depth 6n + 2: 8, 14, 20, 32, 44, 56, 110, 1202, …
/// \param input_shape of one image, {channels, height, width}.
/// \throws UserError for another depth.
Backbone resnet_cifar(std::int64_t depth, std::int64_t classes,
                      const Shape& input_shape = {3, 32, 32});

}  // namespace mlaan

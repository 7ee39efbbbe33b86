// Residual blocks of convolutions.
//
// He et al. 2016, arXiv:1512.03385; Xie et al. 2017, arXiv:1611.05431.
#pragma once

#include <mlaan/nn/layers/drop_path.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/recomputes_activations.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>

#include <cstdint>

namespace mlaan {

/// A convolution without bias that keeps the map's size at stride 1, initialised from
/// N(0, √(2 / (k²·out))).
torch::nn::Conv2d he_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                 std::int64_t stride = 1, std::int64_t groups = 1);

/// A residual block of two 3×3 convolutions: `conv1`, `bn1`, `conv2`, `bn2`, and, where the shape
/// changes, a shortcut of a 1×1 convolution and a batch normalisation: `downsample`.
/// (batch, in_channels, h, w) → (batch, out_channels, ⌈h/stride⌉, ⌈w/stride⌉)
class BasicBlockImpl : public torch::nn::Cloneable<BasicBlockImpl>,
                       public RecomputesActivations,
                       public ReusesOutput,
                       public FreshBlock,
                       public DropsPath {
 public:
  BasicBlockImpl(std::int64_t in_channels, std::int64_t out_channels, std::int64_t stride);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input) { return recompute_forward(input, {}); }
  torch::Tensor recompute_forward(const torch::Tensor& input, const torch::Tensor& output) override;
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

/// A residual block of three convolutions, 1×1, 3×3 and 1×1: `conv1`, `bn1` … `conv3`, `bn3`, and,
/// where the shape changes, a shortcut of a 1×1 convolution and a batch normalisation:
/// `downsample`. The 3×3 convolution has the stride.
/// (batch, in_channels, h, w) → (batch, out_channels, ⌈h/stride⌉, ⌈w/stride⌉)
class BottleneckImpl : public torch::nn::Cloneable<BottleneckImpl>,
                       public RecomputesActivations,
                       public ReusesOutput,
                       public FreshBlock,
                       public DropsPath {
 public:
  /// \param width channels of the 3×3 convolution, in `groups` groups.
  BottleneckImpl(std::int64_t in_channels, std::int64_t width, std::int64_t out_channels,
                 std::int64_t stride, std::int64_t groups = 1);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input) { return recompute_forward(input, {}); }
  torch::Tensor recompute_forward(const torch::Tensor& input, const torch::Tensor& output) override;
  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const override;

 private:
  std::int64_t in_channels_;
  std::int64_t width_;
  std::int64_t out_channels_;
  std::int64_t stride_;
  std::int64_t groups_;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
  torch::nn::Conv2d conv2_{nullptr};
  torch::nn::BatchNorm2d bn2_{nullptr};
  torch::nn::Conv2d conv3_{nullptr};
  torch::nn::BatchNorm2d bn3_{nullptr};
  torch::nn::Sequential downsample_{nullptr};
};
TORCH_MODULE(Bottleneck);

}  // namespace mlaan

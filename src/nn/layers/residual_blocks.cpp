// Residual blocks of convolutions.
//
// He et al. 2016 (arXiv:1512.03385); Xie et al. 2017 (arXiv:1611.05431).
#include "nn/kernels/strided_pointwise_convolution.h"

#include <mlaan/nn/fork.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/layers/residual_blocks.h>

#include <torch/nn/init.h>

#include <cmath>
#include <memory>
#include <utility>

namespace mlaan {
namespace {

/// The layers of a shortcut in a block that changes the shape.
torch::nn::Sequential projection(std::int64_t in, std::int64_t out, std::int64_t stride) {
  return torch::nn::Sequential(he_convolution(in, out, 1, stride), torch::nn::BatchNorm2d(out));
}

torch::Tensor shortcut(torch::nn::Sequential& projection, const torch::Tensor& input) {
  if (projection.is_empty()) return input;
  torch::nn::BatchNorm2d normalisation(
      std::dynamic_pointer_cast<torch::nn::BatchNorm2dImpl>(projection->ptr(1)));
  return norm(normalisation, convolve(projection->at<torch::nn::Conv2dImpl>(0), input));
}

/// A fresh block with the given fraction of samples whose branch is dropped.
template <class Block>
torch::nn::AnyModule with_share(Block block, double share) {
  block->set_drop_path(share);
  return torch::nn::AnyModule(std::move(block));
}

}  // namespace

torch::nn::Conv2d he_convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                                 std::int64_t stride, std::int64_t groups) {
  torch::nn::Conv2d layer(torch::nn::Conv2dOptions(in, out, kernel)
                              .stride(stride)
                              .padding(kernel / 2)
                              .groups(groups)
                              .bias(false));
  const double fan_out = static_cast<double>(kernel * kernel * out);
  torch::nn::init::normal_(layer->weight, 0, std::sqrt(2 / fan_out));
  return layer;
}

BasicBlockImpl::BasicBlockImpl(std::int64_t in_channels, std::int64_t out_channels,
                               std::int64_t stride)
    : in_channels_(in_channels), out_channels_(out_channels), stride_(stride) {
  BasicBlockImpl::reset();
}

void BasicBlockImpl::reset() {
  conv1_ = register_module("conv1", he_convolution(in_channels_, out_channels_, 3, stride_));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(out_channels_));
  conv2_ = register_module("conv2", he_convolution(out_channels_, out_channels_, 3));
  bn2_ = register_module("bn2", torch::nn::BatchNorm2d(out_channels_));
  if (stride_ != 1 || in_channels_ != out_channels_) {
    downsample_ = register_module("downsample", projection(in_channels_, out_channels_, stride_));
  }
}

torch::Tensor BasicBlockImpl::recompute_forward(const torch::Tensor& input,
                                                const torch::Tensor& output) {
  const auto ways = fork(input, 2);
  const torch::Tensor convolved = norm_relu_conv(bn1_, conv2_, conv1_(ways[0]), recomputes());
  if (is_training() && drop_path_share() > 0) {
    return (drop_path(norm(bn2_, convolved)) + shortcut(downsample_, ways[1])).relu_();
  }
  return norm_add_relu(bn2_, convolved, shortcut(downsample_, ways[1]), output);
}

torch::nn::AnyModule BasicBlockImpl::make_fresh(std::int64_t in_channels,
                                                std::int64_t stride) const {
  return with_share(BasicBlock(in_channels, out_channels_, stride), drop_path_share());
}

BottleneckImpl::BottleneckImpl(std::int64_t in_channels, std::int64_t width,
                               std::int64_t out_channels, std::int64_t stride, std::int64_t groups)
    : in_channels_(in_channels),
      width_(width),
      out_channels_(out_channels),
      stride_(stride),
      groups_(groups) {
  BottleneckImpl::reset();
}

void BottleneckImpl::reset() {
  conv1_ = register_module("conv1", he_convolution(in_channels_, width_, 1));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(width_));
  conv2_ = register_module("conv2", he_convolution(width_, width_, 3, stride_, groups_));
  bn2_ = register_module("bn2", torch::nn::BatchNorm2d(width_));
  conv3_ = register_module("conv3", he_convolution(width_, out_channels_, 1));
  bn3_ = register_module("bn3", torch::nn::BatchNorm2d(out_channels_));
  if (stride_ != 1 || in_channels_ != out_channels_) {
    downsample_ = register_module("downsample", projection(in_channels_, out_channels_, stride_));
  }
}

torch::Tensor BottleneckImpl::recompute_forward(const torch::Tensor& input,
                                                const torch::Tensor& output) {
  const auto ways = fork(input, 2);
  const torch::Tensor narrow = norm_relu_conv(bn1_, conv2_, conv1_(ways[0]), recomputes());
  const torch::Tensor wide = norm_relu_conv(bn2_, conv3_, narrow, recomputes());
  if (is_training() && drop_path_share() > 0) {
    return (drop_path(norm(bn3_, wide)) + shortcut(downsample_, ways[1])).relu_();
  }
  return norm_add_relu(bn3_, wide, shortcut(downsample_, ways[1]), output);
}

torch::nn::AnyModule BottleneckImpl::make_fresh(std::int64_t in_channels,
                                                std::int64_t stride) const {
  return with_share(Bottleneck(in_channels, width_, out_channels_, stride, groups_),
                    drop_path_share());
}

}  // namespace mlaan

// CIFAR ResNets: ResNet-(6n+2) of He et al. 2016 (arXiv:1512.03385), section 4.2.
#include <mlaan/nn/batch_norm_layers.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/resnet_cifar.h>

#include <torch/nn/init.h>

#include <array>
#include <cmath>

namespace mlaan {
namespace {

torch::nn::Conv2d convolution(std::int64_t in, std::int64_t out, std::int64_t kernel,
                              std::int64_t stride) {
  torch::nn::Conv2d layer(
      torch::nn::Conv2dOptions(in, out, kernel).stride(stride).padding(kernel / 2).bias(false));
  const double fan_out = static_cast<double>(kernel * kernel * out);
  torch::nn::init::normal_(layer->weight, 0, std::sqrt(2 / fan_out));
  return layer;
}

}  // namespace

CifarStemImpl::CifarStemImpl(std::int64_t in_channels, std::int64_t out_channels)
    : in_channels_(in_channels), out_channels_(out_channels) {
  CifarStemImpl::reset();
}

void CifarStemImpl::reset() {
  conv1_ = register_module("conv1", convolution(in_channels_, out_channels_, 3, 1));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(out_channels_));
}

torch::Tensor CifarStemImpl::forward(const torch::Tensor& input) {
  return bn1_(conv1_(input)).relu_();
}

BasicBlockImpl::BasicBlockImpl(std::int64_t in_channels, std::int64_t out_channels,
                               std::int64_t stride)
    : in_channels_(in_channels), out_channels_(out_channels), stride_(stride) {
  BasicBlockImpl::reset();
}

void BasicBlockImpl::reset() {
  conv1_ = register_module("conv1", convolution(in_channels_, out_channels_, 3, stride_));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(out_channels_));
  conv2_ = register_module("conv2", convolution(out_channels_, out_channels_, 3, 1));
  bn2_ = register_module("bn2", torch::nn::BatchNorm2d(out_channels_));
  if (stride_ != 1 || in_channels_ != out_channels_) {
    downsample_ = register_module(
        "downsample", torch::nn::Sequential(convolution(in_channels_, out_channels_, 1, stride_),
                                            torch::nn::BatchNorm2d(out_channels_)));
  }
}

torch::Tensor BasicBlockImpl::forward(const torch::Tensor& input) {
  const torch::Tensor convolved = norm_relu_conv(bn1_, conv2_, conv1_(input), rebuilds());
  return norm_add_relu(bn2_, convolved,
                       downsample_.is_empty() ? input : downsample_->forward(input));
}

torch::nn::AnyModule BasicBlockImpl::make_fresh(std::int64_t in_channels,
                                                std::int64_t stride) const {
  return torch::nn::AnyModule(BasicBlock(in_channels, out_channels_, stride));
}

Backbone resnet_cifar(std::int64_t depth, std::int64_t classes, const Shape& input_shape) {
  if (depth < 8 || (depth - 2) % 6 != 0) {
    throw UserError("a CIFAR ResNet has 6n + 2 layers (8, 14, 20, 32, 44, 56, 110, 1202, …), not " +
                    std::to_string(depth));
  }
  constexpr std::array<std::int64_t, 3> widths{16, 32, 64};
  std::vector<Unit> units;
  units.emplace_back("stem", std::vector<Unit::Layer>{{"", torch::nn::AnyModule(CifarStem(
                                                               input_shape.at(0), widths[0]))}});
  std::int64_t channels = widths[0];
  for (std::size_t stage = 0; stage < widths.size(); ++stage) {
    for (std::int64_t block = 0; block < (depth - 2) / 6; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(block);
      units.emplace_back(name, BasicBlock(channels, widths.at(stage), stride));
      channels = widths.at(stage);
    }
  }
  const std::size_t blocks = units.size() - 1;
  Backbone backbone("resnet" + std::to_string(depth), std::move(units),
                    {pooled_linear("fc", channels, classes)}, input_shape);
  backbone.set_block_count(blocks);
  return backbone;
}

}  // namespace mlaan

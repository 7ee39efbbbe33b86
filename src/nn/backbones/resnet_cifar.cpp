// CIFAR ResNets: ResNet-(6n+2) of He et al. 2016 (arXiv:1512.03385), section 4.2.
#include <mlaan/nn/backbones/resnet_cifar.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/layers/residual_blocks.h>

#include <array>

namespace mlaan {
CifarStemImpl::CifarStemImpl(std::int64_t in_channels, std::int64_t out_channels)
    : in_channels_(in_channels), out_channels_(out_channels) {
  CifarStemImpl::reset();
}

void CifarStemImpl::reset() {
  conv1_ = register_module("conv1", he_convolution(in_channels_, out_channels_, 3));
  bn1_ = register_module("bn1", torch::nn::BatchNorm2d(out_channels_));
}

torch::Tensor CifarStemImpl::forward(const torch::Tensor& input) {
  return plain_norm(bn1_, conv1_(input)).relu_();
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

// ResNets and ResNeXts for large pictures.
//
// He et al. 2016 (arXiv:1512.03385, table 1); Xie et al. 2017 (arXiv:1611.05431).
#include <mlaan/nn/backbones/resnet.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/layers/residual_blocks.h>

#include <torch/nn/functional/pooling.h>

#include <numeric>

namespace mlaan {
namespace {

constexpr std::int64_t stem_channels = 64;
constexpr std::int64_t bottleneck_factor = 4;

/// `conv1`, `bn1`, ReLU, max pooling.
class ResnetStemImpl : public torch::nn::Cloneable<ResnetStemImpl> {
 public:
  explicit ResnetStemImpl(std::int64_t in_channels) : in_channels_(in_channels) {
    ResnetStemImpl::reset();
  }

  void reset() override {
    conv1_ = register_module("conv1", he_convolution(in_channels_, stem_channels, 7, 2));
    bn1_ = register_module("bn1", torch::nn::BatchNorm2d(stem_channels));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    return torch::max_pool2d(plain_norm(bn1_, conv1_(input)).relu_(), 3, 2, 1);
  }

 private:
  std::int64_t in_channels_;
  torch::nn::Conv2d conv1_{nullptr};
  torch::nn::BatchNorm2d bn1_{nullptr};
};
TORCH_MODULE(ResnetStem);

Unit block(const ResnetForm& form, const std::string& name, std::int64_t in_channels,
           std::int64_t planes, std::int64_t stride) {
  if (!form.bottlenecks) return {name, BasicBlock(in_channels, planes, stride)};
  const std::int64_t width = planes * form.width_per_group / stem_channels * form.groups;
  return {name, Bottleneck(in_channels, width, bottleneck_factor * planes, stride, form.groups)};
}

BackboneEntry entry(const ResnetForm& form) {
  const auto blocks = std::accumulate(form.blocks.begin(), form.blocks.end(), std::int64_t{0});
  std::string summary = "ResNet of " + std::to_string(blocks) +
                        (form.bottlenecks ? " bottlenecks" : " residual blocks");
  if (form.groups > 1) {
    summary = "ResNeXt of " + std::to_string(blocks) + " bottlenecks, " +
              std::to_string(form.groups) + " groups of " + std::to_string(form.width_per_group) +
              " channels";
  }
  BackboneEntry entry;
  entry.name = form.name;
  entry.summary = summary + ", for large pictures";
  entry.make = [form](std::int64_t classes, const Shape& input_shape) {
    return resnet(form, classes, input_shape);
  };
  return entry;
}

}  // namespace

Backbone resnet(const ResnetForm& form, std::int64_t classes, const Shape& input_shape) {
  std::vector<Unit> units;
  units.emplace_back(
      "stem", std::vector<Unit::Layer>{{"", torch::nn::AnyModule(ResnetStem(input_shape.at(0)))}});
  std::int64_t channels = stem_channels;
  std::int64_t planes = stem_channels;
  for (std::size_t stage = 0; stage < form.blocks.size(); ++stage) {
    for (std::int64_t i = 0; i < form.blocks.at(stage); ++i) {
      const std::string name = "layer" + std::to_string(stage + 1) + "." + std::to_string(i);
      units.push_back(block(form, name, channels, planes, stage > 0 && i == 0 ? 2 : 1));
      channels = form.bottlenecks ? bottleneck_factor * planes : planes;
    }
    planes *= 2;
  }
  const std::size_t blocks = units.size() - 1;
  Backbone backbone(form.name, std::move(units), {pooled_linear("fc", channels, classes)},
                    input_shape);
  backbone.set_block_count(blocks);
  return backbone;
}

std::vector<BackboneEntry> resnet_entries() {
  const ResnetForm forms[] = {
      {"resnet18", {2, 2, 2, 2}, false},
      {"resnet34", {3, 4, 6, 3}, false},
      {"resnet50", {3, 4, 6, 3}, true},
      {"resnet101", {3, 4, 23, 3}, true},
      {"resnet152", {3, 8, 36, 3}, true},
      {"resnext50_32x4d", {3, 4, 6, 3}, true, 32, 4},
      {"resnext101_32x8d", {3, 4, 23, 3}, true, 32, 8},
  };
  std::vector<BackboneEntry> entries;
  for (const auto& form : forms) entries.push_back(entry(form));
  return entries;
}

}  // namespace mlaan

// Narrower copies of layers: each channel stands for a group of the original's channels.
#include <mlaan/nn/layers/narrow.h>
#include <mlaan/nn/layers/self_attention.h>
#include <mlaan/nn/layers/tokens.h>

#include <ATen/Functions.h>
#include <torch/nn/cloneable.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {
namespace {

class ChannelGroupingImpl : public torch::nn::Cloneable<ChannelGroupingImpl> {
 public:
  explicit ChannelGroupingImpl(std::int64_t factor) : factor_(factor) {}
  void reset() override {}

  torch::Tensor forward(const torch::Tensor& input) {
    // The channels are dimension 1 of maps and features, and dimension 2 (the width) of tokens.
    const auto channels = input.size(input.dim() == 3 ? 2 : 1);
    const auto groups = channels / factor_;
    const auto means =
        at::eye(groups, input.options().dtype(at::kFloat))  // eye() does not support every dtype
            .to(input.scalar_type())
            .div_(static_cast<double>(factor_))
            .unsqueeze(2)
            .expand({groups, groups, factor_})
            .reshape({groups, channels});
    // Products keep the memory format and process whole rows.
    if (input.dim() == 4) return at::conv2d(input, means.unsqueeze(2).unsqueeze(3));
    return at::linear(input, means);
  }

 private:
  std::int64_t factor_;
};

std::int64_t divided(std::int64_t channels, std::int64_t factor, const std::string& owner) {
  if (channels % factor != 0) {
    throw UserError(owner + " has " + std::to_string(channels) + " channels, which " +
                    std::to_string(factor) +
                    " does not divide, so it cannot be made narrower by that factor");
  }
  return channels / factor;
}

void regroup(torch::Tensor& tensor, std::vector<std::int64_t> shape, std::int64_t factor,
             const std::string& owner) {
  if (!tensor.defined()) return;
  for (std::size_t d = 0; d < shape.size() && d < 2; ++d) {
    shape[d] = divided(shape[d], factor, owner);
  }
  tensor.set_data(grouped(tensor, shape).clone());
}

void regroup(torch::Tensor& tensor, std::int64_t factor, const std::string& owner) {
  if (tensor.defined()) regroup(tensor, tensor.sizes().vec(), factor, owner);
}

void narrow_convolution(torch::nn::Conv2dImpl& convolution, std::int64_t factor,
                        const std::string& owner) {
  auto& options = convolution.options;
  options.in_channels(divided(options.in_channels(), factor, owner));
  options.out_channels(divided(options.out_channels(), factor, owner));
  // The kernel's second dimension is the input channels of one group.
  if (convolution.weight.size(1) > 1) {
    regroup(convolution.weight, factor, owner);
  } else {
    options.groups(divided(options.groups(), factor, owner));
    auto shape = convolution.weight.sizes().vec();
    shape[0] = options.out_channels();
    convolution.weight.set_data(grouped(convolution.weight, shape).clone());
  }
  regroup(convolution.bias, factor, owner);
}

/// \param normalisation torch::nn::BatchNorm1dImpl or BatchNorm2dImpl.
template <class BatchNorm>
void narrow_batch_norm(BatchNorm& normalisation, std::int64_t factor, const std::string& owner) {
  normalisation.options.num_features(divided(normalisation.options.num_features(), factor, owner));
  for (auto* tensor : {&normalisation.weight, &normalisation.bias, &normalisation.running_mean,
                       &normalisation.running_var}) {
    regroup(*tensor, factor, owner);
  }
}

/// Narrows one layer; false if its type is unknown.
bool narrow_layer(torch::nn::Module& layer, std::int64_t factor, const std::string& owner) {
  if (auto* convolution = dynamic_cast<torch::nn::Conv2dImpl*>(&layer)) {
    narrow_convolution(*convolution, factor, owner);
    return true;
  }
  if (auto* narrowable = dynamic_cast<Narrowable*>(&layer)) {
    narrowable->narrow_own_parameters(factor);
    return true;
  }
  if (auto* linear = dynamic_cast<torch::nn::LinearImpl*>(&layer)) {
    linear->options.in_features(divided(linear->options.in_features(), factor, owner));
    linear->options.out_features(divided(linear->options.out_features(), factor, owner));
    regroup(linear->weight, factor, owner);
    regroup(linear->bias, factor, owner);
    return true;
  }
  if (auto* normalisation = dynamic_cast<torch::nn::LayerNormImpl*>(&layer)) {
    auto& shape = normalisation->options.normalized_shape();
    if (shape.size() != 1) return false;
    shape[0] = divided(shape[0], factor, owner);
    regroup(normalisation->weight, factor, owner);
    regroup(normalisation->bias, factor, owner);
    return true;
  }
  if (auto* attention = dynamic_cast<SelfAttentionImpl*>(&layer)) {
    // Each group of channels lies within one head's queries, keys or values.
    attention->set_width(divided(attention->head_width(), factor, owner) * attention->heads());
    regroup(attention->in_proj_weight, factor, owner);
    regroup(attention->in_proj_bias, factor, owner);
    return true;
  }
  if (auto* maps = dynamic_cast<torch::nn::BatchNorm2dImpl*>(&layer)) {
    narrow_batch_norm(*maps, factor, owner);
    return true;
  }
  if (auto* features = dynamic_cast<torch::nn::BatchNorm1dImpl*>(&layer)) {
    narrow_batch_norm(*features, factor, owner);
    return true;
  }
  return false;
}

}  // namespace

torch::Tensor grouped(const torch::Tensor& weights, torch::IntArrayRef shape) {
  torch::Tensor result = weights;
  for (std::int64_t d = 0; d < weights.dim(); ++d) {
    const auto side = shape[static_cast<std::size_t>(d)];
    if (result.size(d) == side) continue;
    std::vector<std::int64_t> groups = result.sizes().vec();
    groups[static_cast<std::size_t>(d)] = side;
    groups.insert(groups.begin() + d + 1, result.size(d) / side);
    result = result.reshape(groups);
    result = d == 1 ? result.sum(d + 1) : result.mean(d + 1);
  }
  return result;
}

void narrow(const Unit& unit, std::int64_t factor) {
  if (factor == 1) return;
  const torch::NoGradGuard no_grad;
  for (const auto& layer : unit.layers()) {
    for (const auto& module : layer.module.ptr()->modules()) {
      if (narrow_layer(*module, factor, "unit '" + unit.name() + "'")) continue;
      if (module->parameters(/*recurse=*/false).empty()) continue;
      throw UserError("unit '" + unit.name() + "' has a layer of type " + module->name() +
                      ", which cannot be made narrower; two-dimensional convolutions, batch "
                      "and layer normalisations, linear layers and self-attention can");
    }
  }
}

Unit channel_grouping_unit(const Shape& features, std::int64_t factor) {
  divided(width_of(features), factor, "the module's output");
  Unit unit("group", std::make_shared<ChannelGroupingImpl>(factor));
  unit.set_description("group" + std::to_string(factor));
  return unit;
}

}  // namespace mlaan

// Builds a net from layers, and tracks the shape through them.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/core/named_tensor.h>
#include <mlaan/nn/backbones/vision_transformer.h>
#include <mlaan/nn/heads.h>

#include <torch/nn/modules/activation.h>

namespace mlaan {
namespace {

/// Layers that reduce a sequence to one row of features.
std::vector<Unit::Layer> readout_layers(LayerBuilder& net, TokenSummary summary) {
  const TokenLayout layout = net.token_layout();
  return {{"", torch::nn::AnyModule(TokenReadout(summary, layout.prefix))},
          {net.next_normalisation(), torch::nn::AnyModule(token_norm(net.width()))}};
}

}  // namespace

void LayerBuilder::freeze_last(const TermWords& words) {
  if (!makes_) return;
  const auto parameters = built_.units.back().named_parameters();
  if (trainable(parameters).empty()) {
    words.fail("it has no parameters that are trained; leave out 'frozen'");
  }
  freeze(parameters);
}

void need_map(const TermWords& words, const LayerBuilder& net) {
  if (!net.is_map()) {
    words.fail("it reads maps (C×h×w), but it is given " + to_string(net.features()) +
               (net.is_tokens() ? " (tokens×width); put 'map' before it" : ""));
  }
}

void need_flat(const TermWords& words, const LayerBuilder& net) {
  if (net.features().size() != 1) {
    words.fail("it reads flat features, but it is given " + to_string(net.features()) +
               "; put 'flatten' before it");
  }
}

void need_tokens(const TermWords& words, const LayerBuilder& net) {
  if (!net.is_tokens()) {
    words.fail("it reads tokens (tokens×width), but it is given " + to_string(net.features()));
  }
}

Shape strided(const Shape& map, std::int64_t channels, std::int64_t stride) {
  return {channels, (map[1] + stride - 1) / stride, (map[2] + stride - 1) / stride};
}

Shape following(const Shape& given, const Shape& own, std::int64_t stride) {
  if (own.size() == 3) return strided(given, own[0], stride);
  return is_tokens(own) ? Shape{given[0], own[1]} : own;
}

std::vector<Unit::Layer> pooling_layers(LayerBuilder& net) {
  if (net.is_tokens()) {
    return readout_layers(
        net, net.token_layout().class_token ? TokenSummary::class_token : TokenSummary::mean);
  }
  if (net.is_map()) return {{"", torch::nn::AnyModule(GlobalAveragePool())}};
  return {};
}

void add_readout_of_tokens(const TermWords& words, LayerBuilder& net, TokenSummary summary) {
  need_tokens(words, net);
  if (summary == TokenSummary::class_token && !net.token_layout().class_token) {
    words.fail("the tokens of " + net.backbone().name() + " have no class token among them");
  }
  net.add({net.width()}, [&] {
    std::vector<Unit::Layer> layers = readout_layers(net, summary);
    const std::string name = layers.back().prefix;
    return Unit(name, std::move(layers));
  });
}

torch::nn::Conv2dOptions same_convolution(std::int64_t in, std::int64_t out,
                                          std::pair<std::int64_t, std::int64_t> kernel,
                                          std::int64_t stride, bool bias) {
  return torch::nn::Conv2dOptions(in, out, {kernel.first, kernel.second})
      .stride(stride)
      .padding({kernel.first / 2, kernel.second / 2})
      .bias(bias);
}

torch::nn::AnyModule relu_layer() {
  return torch::nn::AnyModule(torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)));
}

}  // namespace mlaan

// Pooling and a linear layer.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/init.h>
#include <torch/nn/modules/linear.h>

namespace mlaan::layers {
namespace {

void add_linear(TermWords& words, LayerBuilder& net) {
  const auto out = words.next_count("number of features");
  const bool zero = words.has("zero");
  const std::string name = net.next_linear();
  net.add({out}, [&] {
    std::vector<Unit::Layer> layers = pooling_layers(net);
    torch::nn::Linear linear(net.width(), out);
    if (zero) {
      torch::nn::init::zeros_(linear->weight);
      torch::nn::init::zeros_(linear->bias);
    }
    layers.push_back({name, torch::nn::AnyModule(std::move(linear))});
    return Unit(name, std::move(layers));
  });
}

}  // namespace

LayerKind linear() {
  return {"linear", "linear 10 [zero]",
          "global average pooling of maps, linear layer; zero: initialised to zeros", add_linear};
}

}  // namespace mlaan::layers

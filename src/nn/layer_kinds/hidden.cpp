// Pooling, a linear layer and ReLU.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/linear.h>

namespace mlaan::layers {
namespace {

void add_hidden(TermWords& words, LayerBuilder& net) {
  const auto out = words.next_count("number of features");
  const std::string name = net.next_linear();
  net.add({out}, [&] {
    std::vector<Unit::Layer> layers = pooling_layers(net);
    layers.push_back({name, torch::nn::AnyModule(torch::nn::Linear(net.width(), out))});
    layers.push_back({"", relu_layer()});
    return Unit(name, std::move(layers));
  });
}

}  // namespace

LayerKind hidden() {
  return {"hidden", "hidden 128", "global average pooling of maps, linear layer, ReLU", add_hidden};
}

}  // namespace mlaan::layers

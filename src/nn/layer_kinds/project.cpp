// A linear layer without bias.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/linear.h>

namespace mlaan::layers {
namespace {

void add_project(TermWords& words, LayerBuilder& net) {
  const auto out = words.next_count("number of features");
  if (!net.is_tokens()) need_flat(words, net);
  const std::string name = net.next_filter();
  const auto in = net.width();
  Shape output = net.features();
  output.back() = out;
  net.add(std::move(output), [&] {
    return Unit(name, torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false)));
  });
}

}  // namespace

LayerKind project() {
  return {"project", "project 16",
          "linear layer without bias, for flat features or each token by itself", add_project};
}

}  // namespace mlaan::layers

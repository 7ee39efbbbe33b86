// Flattens maps or tokens.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/linear.h>

namespace mlaan::layers {
namespace {

void add_flatten(TermWords&, LayerBuilder& net) {
  std::int64_t count = 1;
  for (const auto side : net.features()) count *= side;
  net.add_plain<torch::nn::Flatten>("flatten", {count}, [] { return torch::nn::Flatten(); });
}

}  // namespace

LayerKind flatten() {
  return {"flatten", "flatten", "maps or tokens as flat features", add_flatten};
}

}  // namespace mlaan::layers

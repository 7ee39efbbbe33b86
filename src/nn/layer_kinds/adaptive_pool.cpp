// Average pooling to a map of a given size.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/pooling.h>

namespace mlaan::layers {
namespace {

void add_adaptive_pool(TermWords& words, LayerBuilder& net) {
  const auto [rows, columns] = words.next_size("size of the map");
  need_map(words, net);
  const torch::nn::AdaptiveAvgPool2dOptions options({rows, columns});
  net.add_plain<torch::nn::AdaptiveAvgPool2d>("pool", {net.features()[0], rows, columns}, [&] {
    return torch::nn::AdaptiveAvgPool2d(options);
  });
}

}  // namespace

LayerKind adaptive_pool() {
  return {"adaptive_pool", "adaptive_pool 2x2", "average pooling to a map of this size",
          add_adaptive_pool};
}

}  // namespace mlaan::layers

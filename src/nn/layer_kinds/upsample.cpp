// Bilinear upsampling.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/upsampling.h>

namespace mlaan::layers {
namespace {

void add_upsample(TermWords& words, LayerBuilder& net) {
  const auto [rows, columns] = words.next_size("size of the map");
  need_map(words, net);
  const auto options = torch::nn::UpsampleOptions()
                           .size(std::vector<std::int64_t>{rows, columns})
                           .mode(torch::kBilinear)
                           .align_corners(true);
  net.add_plain<torch::nn::Upsample>("upsample", {net.features()[0], rows, columns},
                                     [&] { return torch::nn::Upsample(options); });
}

}  // namespace

LayerKind upsample() {
  return {"upsample", "upsample 32x32",
          "bilinear upsampling to a map of this size, corners aligned", add_upsample};
}

}  // namespace mlaan::layers

// Batch normalisation.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/batchnorm.h>

namespace mlaan::layers {
namespace {

void add_batch_norm(TermWords& words, LayerBuilder& net) {
  if (!net.is_map()) need_flat(words, net);
  const std::string name = net.next_normalisation();
  const auto channels = net.features().at(0);
  const bool is_map = net.is_map();
  net.add(net.features(), [&] {
    return is_map ? Unit(name, torch::nn::BatchNorm2d(channels))
                  : Unit(name, torch::nn::BatchNorm1d(channels));
  });
}

}  // namespace

LayerKind batch_norm() {
  return {"batch_norm", "batch_norm", "batch normalisation", add_batch_norm};
}

}  // namespace mlaan::layers

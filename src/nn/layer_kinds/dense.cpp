// A linear layer, batch normalisation and ReLU.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>

namespace mlaan::layers {
namespace {

void add_dense(TermWords& words, LayerBuilder& net) {
  const auto out = words.next_count("number of features");
  need_flat(words, net);
  const std::string number = net.next_convolution();
  const auto in = net.features().at(0);
  net.add({out}, [&] {
    using namespace torch::nn;
    return Unit("conv" + number,
                std::vector<Unit::Layer>{
                    {"conv" + number, AnyModule(Linear(LinearOptions(in, out).bias(false)))},
                    {"bn" + number, AnyModule(BatchNorm1d(out))},
                    {"", relu_layer()}});
  });
}

}  // namespace

LayerKind dense() {
  return {"dense", "dense 64", "linear layer, batch normalisation, ReLU, for flat features",
          add_dense};
}

}  // namespace mlaan::layers

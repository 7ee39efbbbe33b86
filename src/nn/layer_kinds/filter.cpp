// A convolution without normalisation or activation.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/filter.h>

#include <torch/nn/options/conv.h>

namespace mlaan::layers {
namespace {

void add_filter(TermWords& words, LayerBuilder& net) {
  const auto kernel = words.next_size("size of the kernel");
  const auto out = words.next_count("number of channels");
  const bool bias = words.has("bias");
  need_map(words, net);
  const std::string name = net.next_filter();
  const auto in = net.features()[0];
  net.add(strided(net.features(), out, 1), [&] {
    return Unit(
        name,
        std::vector<Unit::Layer>{
            {"", torch::nn::AnyModule(Filter(same_convolution(in, out, kernel, 1, bias), name))}});
  });
}

}  // namespace

LayerKind filter() {
  return {"filter", "filter 3x3 16 [bias]", "plain convolution to 16 channels", add_filter};
}

}  // namespace mlaan::layers

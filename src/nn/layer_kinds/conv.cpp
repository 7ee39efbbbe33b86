// Convolution, batch normalisation and ReLU.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/conv_norm_relu.h>

#include <torch/nn/options/conv.h>

namespace mlaan::layers {
namespace {

void add_conv(TermWords& words, LayerBuilder& net) {
  const auto kernel = words.next_size("size of the kernel");
  const auto out = words.next_count("number of channels");
  const auto stride = words.count_of("stride", 1);
  const bool bias = words.has("bias");
  const auto upsampled = map_size_of(words, "upsampled");
  need_map(words, net);
  const std::string number = net.next_convolution();
  const auto in = net.features()[0];
  const Shape read = upsampled ? Shape{in, upsampled->rows, upsampled->columns} : net.features();
  net.add(strided(read, out, stride), [&] {
    return Unit("conv" + number,
                std::vector<Unit::Layer>{{"", torch::nn::AnyModule(ConvNormRelu(
                                                  same_convolution(in, out, kernel, stride, bias),
                                                  number, upsampled))}});
  });
}

}  // namespace

LayerKind conv() {
  return {"conv", "conv 3x3 32 [stride 2] [bias] [upsampled 32x32]",
          "convolution to 32 channels, batch normalisation, ReLU", add_conv};
}

}  // namespace mlaan::layers

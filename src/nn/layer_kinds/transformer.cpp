// A block of a vision transformer.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/backbones/vision_transformer.h>
#include <mlaan/nn/layer_kind.h>

namespace mlaan::layers {
namespace {

void add_transformer(TermWords& words, LayerBuilder& net) {
  const auto heads = words.count_of("heads", usual_heads(net.width()));
  need_tokens(words, net);
  const std::string name = net.next_block("block");
  net.add(net.features(), [&] { return Unit(name, encoder_block(net.width(), heads)); });
}

}  // namespace

LayerKind transformer() {
  return {"transformer", "transformer [heads 3]",
          "a block of a vision transformer, freshly initialised", add_transformer};
}

}  // namespace mlaan::layers

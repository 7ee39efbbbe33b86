// Rearranges tokens as a map.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/tokens.h>

namespace mlaan::layers {
namespace {

void add_map(TermWords& words, LayerBuilder& net) {
  need_tokens(words, net);
  const TokenLayout layout = net.token_layout();
  net.add_plain<TokensToMap>("map", {net.width(), layout.rows, layout.columns},
                             [&] { return TokensToMap(layout); });
}

}  // namespace

LayerKind map() {
  return {"map", "map", "the patches among the tokens as a map", add_map};
}

}  // namespace mlaan::layers

// Reads the class token of a sequence.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

namespace mlaan::layers {
namespace {

void add_class_token(TermWords& words, LayerBuilder& net) {
  add_readout_of_tokens(words, net, TokenSummary::class_token);
}

}  // namespace

LayerKind class_token() {
  return {"class_token", "class_token", "the class token, layer normalisation", add_class_token};
}

}  // namespace mlaan::layers

// Reads the mean of a sequence of tokens.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>

namespace mlaan::layers {
namespace {

void add_mean_token(TermWords& words, LayerBuilder& net) {
  add_readout_of_tokens(words, net, TokenSummary::mean);
}

}  // namespace

LayerKind mean_token() {
  return {"mean_token", "mean_token",
          "the mean of the patches, layer normalisation", add_mean_token};
}

}  // namespace mlaan::layers

// Averages over groups of channels.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/narrow.h>

namespace mlaan::layers {
namespace {

void add_group(TermWords& words, LayerBuilder& net) {
  const auto factor = words.next_count("factor");
  Shape output = net.features();
  const Shape input = output;
  auto& width = output[net.is_tokens() ? 1 : 0];
  width = (width + factor - 1) / factor;
  net.add(output, [&] { return channel_grouping_unit(input, factor); });
}

}  // namespace

LayerKind group() {
  return {"group", "group 2", "averages groups of this many channels", add_group};
}

}  // namespace mlaan::layers

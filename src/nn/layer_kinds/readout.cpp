// The backbone's own head as a layer that is not trained.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/leap.h>

namespace mlaan::layers {
namespace {

void add_readout(TermWords& words, LayerBuilder& net) {
  const Backbone& backbone = net.backbone();
  const auto& head = backbone.head()->units();
  const Shape& wanted = backbone.output_shape(backbone.size() - 1);
  if (net.features().size() != wanted.size() || net.width() != width_of(wanted)) {
    words.fail("the backbone's head takes " + to_string(wanted) + ", but it is given " +
               to_string(net.features()));
  }
  if (head.size() != 1) {
    words.fail("the head of " + backbone.name() + " has " + std::to_string(head.size()) +
               " units; a readout can be of one only");
  }
  net.add({backbone.classes()}, [&] {
    TwinnedUnit readout = tied_unit(head.front(), "readout");
    net.add_average(std::move(*readout.average));
    return std::move(readout.unit);
  });
}

}  // namespace

LayerKind readout() {
  return {"readout", "readout", "the backbone's own head, with its weights, not trained",
          add_readout};
}

}  // namespace mlaan::layers

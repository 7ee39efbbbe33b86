// A freshly initialised block with the architecture of a unit of the backbone.
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/leap.h>

namespace mlaan::layers {
namespace {

void add_fresh(TermWords& words, LayerBuilder& net) {
  const Backbone& backbone = net.backbone();
  const auto form = backbone.unit_index(words.next("name of a unit"));
  const auto stride = words.count_of("stride", stride_of(backbone, form));
  const auto momentum = twin_of(words);
  const Shape& given = net.features();
  const Shape& original = backbone.output_shape(form);
  // A unit that returns flat features may read maps: it averages or flattens them.
  if (given.size() != original.size() && original.size() != 1) {
    words.fail("it gives " + to_string(original) + ", but it is given " + to_string(given));
  }
  if (momentum && (net.width() != width_of(backbone.input_shape(form)) ||
                   stride != stride_of(backbone, form))) {
    words.fail("its twin, a copy of '" + backbone.units()[form].name() + "', takes " +
               to_string(backbone.input_shape(form)) + ", but it is given " + to_string(given));
  }
  const auto in = net.width();
  Shape output = following(given, original, stride);
  const std::string name = net.next_block("block");
  net.add(std::move(output), [&] {
    if (!momentum) return fresh_unit(backbone, form, name, in, stride);
    TwinnedUnit twinned =
        with_twin(backbone, form, name, fresh_unit(backbone, form, "copy", in, stride), *momentum);
    net.add_average(std::move(*twinned.average));
    return std::move(twinned.unit);
  });
}

}  // namespace

LayerKind fresh() {
  return {"fresh", "fresh layer3.0 [stride 2] [twin 0.995]",
          "a freshly initialised block of this unit's form", add_fresh};
}

}  // namespace mlaan::layers

// A copy of a later unit of the backbone (MLAAN, AAAI 2025, LAM).
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/leap.h>

namespace mlaan::layers {
namespace {

void add_leap(TermWords& words, LayerBuilder& net) {
  const Backbone& backbone = net.backbone();
  const auto unit = backbone.unit_index(words.next("name of a unit"));
  const auto narrow = words.count_of("narrow", 1);
  const auto momentum = twin_of(words);
  const bool tied = words.has("tied");
  if (tied && momentum) words.fail("a tied layer is its own twin; leave out 'twin'");
  const Shape& given = net.features();
  const Shape& wanted = backbone.input_shape(unit);
  if (given.size() != wanted.size() || net.width() * narrow != width_of(wanted)) {
    words.fail("'" + backbone.units()[unit].name() + "' takes " + to_string(wanted) +
               (narrow > 1 ? ", a " + std::to_string(narrow) + "th of the channels here" : "") +
               ", but it is given " + to_string(given));
  }
  Shape output = following(given, backbone.output_shape(unit), stride_of(backbone, unit));
  output[is_tokens(output) ? 1 : 0] /= narrow;
  const std::string name = net.next_block("leap");
  net.add(std::move(output), [&] {
    TwinnedUnit leap = tied ? tied_unit(backbone.units()[unit], name, narrow)
                            : leap_unit(backbone, unit, name, momentum, narrow);
    if (leap.average) net.add_average(std::move(*leap.average));
    return std::move(leap.unit);
  });
}

}  // namespace

LayerKind leap() {
  return {"leap", "leap layer3.0 [narrow 2] [twin 0.995|tied]",
          "a copy of a unit of the backbone, narrower by this factor; twin: adds the output of a "
          "frozen copy that follows the unit with this momentum; tied: uses the unit's own "
          "weights, not trained",
          add_leap};
}

}  // namespace mlaan::layers

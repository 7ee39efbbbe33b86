// The registry of the kinds of layers of auxiliary nets.
#include <mlaan/nn/layer_kind.h>

namespace mlaan {
namespace layers {

LayerKind conv();
LayerKind filter();
LayerKind project();
LayerKind dense();
LayerKind hidden();
LayerKind linear();
LayerKind batch_norm();
LayerKind average_pool();
LayerKind adaptive_pool();
LayerKind upsample();
LayerKind flatten();
LayerKind group();
LayerKind leap();
LayerKind readout();
LayerKind fresh();
LayerKind transformer();
LayerKind class_token();
LayerKind mean_token();
LayerKind map();

}  // namespace layers

const Registry<LayerKind>& layer_kinds() {
  using namespace layers;
  static const Registry<LayerKind> registry(
      "kind of layer", {conv(), filter(), project(), dense(), hidden(), linear(), batch_norm(),
                        average_pool(), adaptive_pool(), upsample(), flatten(), group(), leap(),
                        readout(), fresh(), transformer(), class_token(), mean_token(), map()});
  return registry;
}

}  // namespace mlaan

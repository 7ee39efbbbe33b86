// PredSim: local classifier and similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656).
#include <mlaan/local/methods/predsim.h>
#include <mlaan/nn/layers/tokens.h>

namespace mlaan {
namespace {

/// A linear layer that reads at most `most` features. Larger maps are average-pooled: the height
/// and the width of the pooling window are doubled in turn until the map is small enough.
LayerTexts prediction_layers(const NetPlace& place, std::int64_t most) {
  LayerTexts layers;
  const Shape& map = place.map;
  if (is_tokens(place.features)) layers.emplace_back("map");
  if (map.size() == 3) {
    std::int64_t rows = 1;
    std::int64_t columns = 1;
    const auto pooled = [&] { return map[0] * (map[1] / rows) * (map[2] / columns); };
    for (bool tall = true; pooled() > most && (rows < map[1] || columns < map[2]); tall = !tall) {
      std::int64_t& side = tall ? rows : columns;
      side = std::min(2 * side, tall ? map[1] : map[2]);
    }
    if (rows > 1 || columns > 1) {
      layers.push_back("average_pool " + size_text(rows, columns) + " floor");
    }
    layers.emplace_back("flatten");
  }
  layers.push_back("linear " + std::to_string(place.classes) + " zero");
  return layers;
}

LayerTexts similarity_layers(const NetPlace& place) {
  const std::string width = std::to_string(width_of(place.features));
  return {place.features.size() == 3 ? "filter 3x3 " + width : "project " + width};
}

}  // namespace

void PredsimOptions::describe(FieldList& fields) {
  fields.add("loss", loss,
             "predsim: (1 - beta) times the local classifier's cross-entropy and beta times "
             "similarity matching; pred or sim: one of them alone, with weight 1",
             one_of({"predsim", "pred", "sim"}));
  fields.add("beta", beta, "weight of similarity matching in predsim", between(0, 1));
  fields.add("features", features, "maximum number of features that the local classifier reads",
             count_from(1));
}

namespace methods {

Host predsim_host(const PredsimOptions& options) {
  const bool both = options.loss == "predsim";
  const double prediction = both ? 1 - options.beta : options.loss == "pred" ? 1 : 0;
  const double similarity = both ? options.beta : options.loss == "sim" ? 1 : 0;
  const auto constant = [](double weight) { return [weight](std::size_t) { return weight; }; };
  return {
      {{"classifier",
        [most = options.features](const NetPlace& place) { return prediction_layers(place, most); },
        "cross_entropy", constant(prediction)},
       {"similarity", similarity_layers, "similarity_matching", constant(similarity)}},
      nullptr};
}

Plan predsim(const Backbone& backbone, const Partition& partition, const PredsimOptions& options,
             std::uint64_t seed) {
  return make_plan({partition, predsim_host(options), {}, {}}, backbone, seed);
}

MethodEntry predsim_entry() {
  return host_entry(
      "predsim", "each module on its own, with a local classifier and similarity matching",
      [](OptionSet& options) { options.get<PredsimOptions>(); },
      [](const Backbone&, const Partition& partition, const OptionSet& options) {
        return LocalMethod{partition, predsim_host(options.get<PredsimOptions>()), {}, {}};
      });
}

}  // namespace methods
}  // namespace mlaan

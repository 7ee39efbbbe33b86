// AugLocal: augmented local learning (Ma et al. 2024, ICLR, arXiv:2402.17318).
#include <mlaan/local/methods/auglocal.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/tokens.h>

#include <algorithm>
#include <cmath>

namespace mlaan {
namespace {

LayerTexts net_layers(const Backbone& backbone, const AuglocalOptions& options,
                      const NetPlace& place) {
  const auto chosen =
      methods::auglocal_units(place.unit, backbone.size(), options.depth, options.pyramid);
  LayerTexts layers;
  auto width = static_cast<double>(width_of(place.features));
  double pending = 0;
  for (const auto unit : chosen) {
    const auto next = static_cast<double>(width_of(backbone.output_shape(unit)));
    pending += std::log2(next / width);
    width = next;
    const bool halves = pending >= 1;
    if (halves) pending -= 1;
    layers.push_back("fresh " + backbone.units()[unit].name() + " stride " + (halves ? "2" : "1"));
  }
  if (is_tokens(place.features)) {
    // mean_token ends in a layer normalisation, which replaces the batch normalisation.
    layers.emplace_back("mean_token");
  } else if (chosen.size() <= 1) {
    if (place.features.size() == 3) {
      layers.insert(layers.end(), {"adaptive_pool 1x1", "flatten"});
    }
    layers.emplace_back("batch_norm");
  }
  layers.push_back("linear " + std::to_string(place.classes));
  return layers;
}

}  // namespace

void AuglocalOptions::describe(FieldList& fields) {
  fields.add("depth", depth, "number of later units whose form the first module's net copies",
             count_from(1));
  fields.add("pyramid", pyramid,
             "share by which nets get shorter from the first module to the last; 0: not at all",
             between(0, 1));
  fields.add("tail", tail,
             "minimum number of units in the last module besides its first; -1: as many as depth",
             count_from(-1));
}

namespace methods {

std::vector<std::size_t> auglocal_units(std::size_t unit, std::size_t units, std::int64_t depth,
                                        double pyramid) {
  const auto l = static_cast<double>(unit);
  const auto later = static_cast<double>(units - 1) - l;
  // The number of modules if each were one unit, but the last one had `depth` more.
  const auto modules = static_cast<double>(units) - static_cast<double>(depth);
  const double decay = modules > 2 ? l * pyramid / (modules - 2) : 0;
  // In the default rounding mode, halves are rounded to even.
  const double count =
      std::max(1.0, std::nearbyint(static_cast<double>(depth) * (1 - decay) + decay));
  std::vector<std::size_t> chosen;
  if (count >= later) {
    for (std::size_t next = unit + 1; next < units; ++next) chosen.push_back(next);
    return chosen;
  }
  for (int i = 1; i <= static_cast<int>(count); ++i) {
    chosen.push_back(static_cast<std::size_t>(std::nearbyint(l + later * i / count)));
  }
  return chosen;
}

Partition auglocal_partition(const Backbone& backbone, const Partition& partition,
                             const AuglocalOptions& options) {
  const std::size_t last = backbone.size() - 1;
  const auto later = last - partition.last_unit(0);
  const auto tail = options.tail < 0 ? std::min(static_cast<std::size_t>(options.depth),
                                                std::max(later, std::size_t{1}) - 1)
                                     : static_cast<std::size_t>(options.tail);
  std::vector<std::size_t> last_units;
  for (const auto unit : partition.last_units()) {
    if (unit + tail + 1 <= last) last_units.push_back(unit);
  }
  if (last_units.empty() && partition.size() > 1) {
    throw UserError("auglocal.tail leaves " + std::to_string(tail + 1) +
                    " units to the last module, but " + backbone.name() + " has " +
                    std::to_string(backbone.size()) + " and the first module ends with unit " +
                    std::to_string(partition.last_unit(0) + 1) + "; it may be at most " +
                    std::to_string(later - 1));
  }
  last_units.push_back(last);
  return Partition(std::move(last_units));
}

LocalMethod auglocal_method(const Backbone& backbone, const Partition& partition,
                            const AuglocalOptions& options) {
  const auto later = static_cast<std::int64_t>(backbone.size() - 1 - partition.last_unit(0));
  if (partition.size() > 1 && options.depth > later) {
    throw UserError("auglocal.depth = " + std::to_string(options.depth) + ", but only " +
                    std::to_string(later) + " units of " + backbone.name() +
                    " follow the first module; expected at most that many");
  }
  const HostNet net{
      "classifier",
      [backbone, options](const NetPlace& place) { return net_layers(backbone, options, place); },
      "cross_entropy", nullptr};
  return {auglocal_partition(backbone, partition, options), {{net}, nullptr}, {}, {}};
}

Plan auglocal(const Backbone& backbone, const Partition& partition, const AuglocalOptions& options,
              std::uint64_t seed) {
  return make_plan(auglocal_method(backbone, partition, options), backbone, seed);
}

MethodEntry auglocal_entry() {
  return host_entry(
      "auglocal", "each module on its own, with new blocks of the form of later units",
      [](OptionSet& options) { options.get<AuglocalOptions>(); },
      [](const Backbone& backbone, const Partition& partition, const OptionSet& options) {
        return auglocal_method(backbone, partition, options.get<AuglocalOptions>());
      });
}

}  // namespace methods
}  // namespace mlaan

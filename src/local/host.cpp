// A host: the nets of a local-learning method at the end of each module; MLM and LAM extend any.
#include <mlaan/core/options.h>
#include <mlaan/local/host.h>
#include <mlaan/nn/layers/tokens.h>

#include <set>

namespace mlaan {
namespace {

/// Average pooling that covers every position of a map: if the sides are not multiples of `pool`,
/// the pooling windows overlap.
std::string pooling_text(const Shape& features, std::int64_t pool) {
  const bool is_map = features.size() == 3;
  if (!is_map || (features[1] % pool == 0 && features[2] % pool == 0)) {
    return "average_pool " + size_text(pool, pool);
  }
  return "adaptive_pool " +
         size_text((features[1] + pool - 1) / pool, (features[2] + pool - 1) / pool);
}

/// Describes the supervisions of one plan, module by module.
class Describer {
 public:
  Describer(const Backbone& backbone, const LocalMethod& method)
      : backbone_(backbone), method_(method), description_{method.partition, {}, {}} {}

  void supervise(const std::string& role, std::size_t first, std::size_t last, bool leaps,
                 double weight) {
    const Host& host = method_.host;
    // The module that the net belongs to; shared nets belong to the last module of the stage.
    const std::size_t owner = leaps && method_.leap_augmented->shared ? last_of_stage(last) : last;
    const std::string name = "aux." + std::to_string(owner + 1) + "." + role;
    const NetPlace module = place_at(owner);
    const LayerTexts leap_layers = leaps ? leap_texts(module) : LayerTexts();
    const NetPlace behind = behind_leaps(module, leap_layers);
    LayerTexts shared = leap_layers;
    NetPlace place = behind;
    if (host.trunk) {
      const LayerTexts trunk = host.trunk(behind);
      shared.insert(shared.end(), trunk.begin(), trunk.end());
      place.set_features(output_shape_of(trunk, behind.features, backbone_), backbone_);
    }
    const bool single = host.nets.size() == 1;
    for (const auto& net : host.nets) {
      const double own_weight = net.weight ? net.weight(last) : 1;
      if (own_weight == 0) continue;
      const bool readout = leaps && method_.leap_augmented->readout;
      LayerTexts layers = readout ? LayerTexts{"readout"} : net.layers(place);
      std::string trunk;
      if (single) {
        layers.insert(layers.begin(), shared.begin(), shared.end());
      } else if (!shared.empty()) {
        trunk = name + ".trunk";
        add_net({trunk, "", shared});
      }
      const std::string net_name = single ? name : name + "." + net.name;
      add_net({net_name, trunk, std::move(layers)});
      description_.supervisions.push_back({single ? role : role + "." + net.name, first, last,
                                           net_name, net.loss, weight * own_weight,
                                           leaps ? method_.leap_augmented->probability : 1});
    }
  }

  void supervise_by_head(const std::string& role, std::size_t first, double weight) {
    description_.supervisions.push_back(
        {role, first, description_.partition.size() - 1, head_name, "cross_entropy", weight, 1});
  }

  PlanDescription take() { return std::move(description_); }

 private:
  NetPlace place_at(std::size_t module) const {
    const std::size_t unit = description_.partition.last_unit(module);
    NetPlace place;
    place.module = module;
    place.unit = unit;
    place.classes = backbone_.classes();
    place.set_features(backbone_.output_shape(unit), backbone_);
    return place;
  }

  /// Starting from `module`, the last one in a row of modules that have an auxiliary net and whose
  /// outputs have the same shape.
  std::size_t last_of_stage(std::size_t module) const {
    std::size_t last = module;
    while (last + 2 < description_.partition.size() &&
           place_at(last + 1).features == place_at(module).features) {
      ++last;
    }
    return last;
  }

  LayerTexts leap_texts(const NetPlace& place) const {
    const LeapAugmented& leap = *method_.leap_augmented;
    LayerTexts texts;
    if (leap.pool > 1) texts.push_back(pooling_text(place.features, leap.pool));
    if (leap.narrow > 1) texts.push_back("group " + std::to_string(leap.narrow));
    const LeapRow& row = leap.rows.at(place.module);
    for (std::size_t n = 0; n < row.size(); ++n) {
      std::string text = "leap " + backbone_.units().at(row[n]).name();
      if (leap.narrow > 1) text += " narrow " + std::to_string(leap.narrow);
      if (leap.tied) text += " tied";
      const bool twinned = leap.twins == Twins::all || (leap.twins == Twins::first && n == 0);
      if (twinned && !leap.tied) {
        text += " twin " + to_toml(leap.ema_momentum);
      }
      if (leap.frozen) text += " frozen";
      texts.push_back(std::move(text));
    }
    return texts;
  }

  NetPlace behind_leaps(NetPlace place, const LayerTexts& leap_layers) const {
    if (leap_layers.empty()) return place;
    const LeapRow& row = method_.leap_augmented->rows.at(place.module);
    if (!row.empty()) place.unit = row.back();
    place.set_features(output_shape_of(leap_layers, place.features, backbone_), backbone_);
    return place;
  }

  void add_net(NetDescription net) {
    if (names_.insert(net.name).second) description_.nets.push_back(std::move(net));
  }

  const Backbone& backbone_;
  const LocalMethod& method_;
  PlanDescription description_;
  std::set<std::string> names_;
};

void check_rows(const Backbone& backbone, const Partition& partition,
                const std::vector<LeapRow>& rows) {
  if (rows.size() + 1 != partition.size()) {
    throw UserError("leap rows are needed for " + std::to_string(partition.size() - 1) +
                    " modules, all but the last, but there are " + std::to_string(rows.size()));
  }
  for (std::size_t j = 0; j < rows.size(); ++j) {
    try {
      check_leap_row(backbone, partition.last_unit(j), rows[j]);
    } catch (const UserError& error) {
      throw UserError("leap row of module " + std::to_string(j + 1) +
                      " cannot run: " + error.what());
    }
  }
}

void check_window(const Multilaminar& multilaminar, std::size_t modules) {
  if (multilaminar.window < 1 || multilaminar.window > modules) {
    throw UserError("a window of " + std::to_string(multilaminar.window) +
                    " modules does not fit a partition into " + std::to_string(modules) +
                    "; the window may be 1 to " + std::to_string(modules));
  }
  if (multilaminar.stride < 1 || multilaminar.stride > multilaminar.window) {
    throw UserError("a stride of " + std::to_string(multilaminar.stride) +
                    " modules from one window to the next leaves modules between windows of " +
                    std::to_string(multilaminar.window) + "; the stride may be 1 to " +
                    std::to_string(multilaminar.window));
  }
}

}  // namespace

void NetPlace::set_features(const Shape& shape, const Backbone& backbone) {
  features = shape;
  map = shape;
  if (!is_tokens(shape)) return;
  const TokenLayout layout = token_layout_of(shape, backbone);
  map = {width_of(shape), layout.rows, layout.columns};
}

PlanDescription describe(const LocalMethod& method, const Backbone& backbone) {
  const std::size_t last = method.partition.size() - 1;
  if (method.multilaminar) check_window(*method.multilaminar, method.partition.size());
  if (method.leap_augmented) check_rows(backbone, method.partition, method.leap_augmented->rows);
  Describer plan(backbone, method);
  const bool leaps = method.leap_augmented.has_value();
  if (!method.multilaminar) {
    for (std::size_t j = 0; j < last; ++j) plan.supervise("local", j, j, leaps, 1);
    plan.supervise_by_head("output", last, 1);
    return plan.take();
  }

  const Multilaminar& mlm = *method.multilaminar;
  const bool independent_at_ends = mlm.window == 1 || mlm.independent_at_ends;
  for (std::size_t j = 0; j < last; ++j) {
    const bool ends_window = j + 1 >= mlm.window && (j + 1 - mlm.window) % mlm.stride == 0;
    // The larger net runs first, while no other cotangent takes memory.
    if (ends_window) {
      plan.supervise("cascaded", j + 1 - mlm.window, j, leaps, mlm.cascaded_weight);
    }
    if ((!ends_window || independent_at_ends) && (j > 0 || !mlm.published_code)) {
      plan.supervise("independent", j, j, /*leaps=*/false, mlm.independent_weight);
    }
  }
  const std::size_t last_start = last + 1 - mlm.window;
  if (mlm.published_code) {
    plan.supervise_by_head("output", last_start, 1);
  } else {
    plan.supervise_by_head("cascaded", last_start, mlm.cascaded_weight);
    if (independent_at_ends) {
      plan.supervise_by_head("independent", last, mlm.independent_weight);
    }
  }
  return plan.take();
}

Plan make_plan(const LocalMethod& method, const Backbone& backbone, std::uint64_t seed) {
  return build_plan(describe(method, backbone), backbone, seed);
}

}  // namespace mlaan

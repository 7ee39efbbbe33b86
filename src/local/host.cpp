// A host: what a local-learning method puts at the end of each module; MLM and LAM build on any.
#include <mlaan/core/random.h>
#include <mlaan/local/host.h>
#include <mlaan/nn/narrow.h>
#include <mlaan/nn/probe.h>

#include <map>

namespace mlaan {
namespace {

/// Builds the supervisions of one plan, module by module.
class PlanBuilder {
 public:
  PlanBuilder(const Backbone& backbone, const Partition& partition, const Host& host,
              const std::optional<LeapAugmented>& leap, std::uint64_t seed)
      : backbone_(backbone),
        host_(host),
        leap_(leap),
        seed_(seed),
        plan_{partition, {}, {}, {}, {}} {}

  void supervise(const std::string& name, std::size_t first, std::size_t last, bool leaps,
                 double weight) {
    plan_.supervisions.push_back({name, first, last, net_for(name, last, leaps), host_.loss, weight,
                                  leaps ? leap_->probability : 1});
  }

  void supervise_by_head(const std::string& name, std::size_t first, double weight) {
    plan_.supervisions.push_back(
        {name, first, plan_.partition.size() - 1, backbone_.head(), head_loss_, weight});
  }

  Plan take() { return std::move(plan_); }

 private:
  std::shared_ptr<AuxiliaryNet> net_for(const std::string& role, std::size_t module, bool leaps) {
    if (!leaps || !leap_->shared) return make_net(role, module, leaps);
    const std::size_t owner = last_of_stage(module);
    auto& net = shared_nets_[owner];
    if (!net) net = make_net(role, owner, leaps);
    return net;
  }

  /// The last module, of those that have an auxiliary net, whose output has the shape of this
  /// one's.
  std::size_t last_of_stage(std::size_t module) const {
    const auto shape = [this](std::size_t j) {
      return backbone_.output_shape(plan_.partition.last_unit(j));
    };
    std::size_t last = module;
    while (last + 2 < plan_.partition.size() && shape(last + 1) == shape(module)) ++last;
    return last;
  }

  std::shared_ptr<AuxiliaryNet> make_net(const std::string& role, std::size_t module, bool leaps) {
    const std::string name = "aux." + std::to_string(module + 1) + "." + role;
    const DefaultGeneratorGuard guard(torch::kCPU);
    seed_default_generator(torch::kCPU, random_key({seed_, random_key(name)}));
    const std::size_t last_unit = plan_.partition.last_unit(module);
    Shape features = backbone_.output_shape(last_unit);
    std::vector<Unit> units;
    if (leaps) {
      const LeapRow& row = leap_->rows.at(module);
      LeapLayers layers =
          make_leap_layers(backbone_, row, leap_->twins, leap_->ema_momentum, leap_->narrow);
      units = std::move(layers.units);
      for (auto& average : layers.averages) plan_.averages.push_back(std::move(average));
      if (leap_->narrow > 1) {
        units.insert(units.begin(), channel_grouping_unit(features, leap_->narrow));
      }
      if (leap_->pool > 1) units.insert(units.begin(), pooling_unit(features, leap_->pool));
      if (leap_->pool > 1 || leap_->narrow > 1) {
        features = output_shape(units, features, name);
      } else if (!row.empty()) {
        features = backbone_.output_shape(row.back());
      }
    }
    for (auto& unit : host_.units(features, backbone_.classes())) units.push_back(std::move(unit));
    return std::make_shared<AuxiliaryNet>(name, std::move(units));
  }

  /// Shape of what a net's units give for features of the given shape.
  static Shape output_shape(const std::vector<Unit>& units, const Shape& features,
                            const std::string& net) {
    const torch::NoGradGuard no_grad;
    const auto parameters = units.back().named_parameters();
    torch::Tensor sample = zero_batch(
        1, features, parameters.empty() ? torch::TensorOptions() : parameters[0].tensor.options());
    for (const auto& unit : units) {
      unit.train(false);
      sample = probe(unit, sample, net);
    }
    return shape_of(sample);
  }

  const Backbone& backbone_;
  const Host& host_;
  const std::optional<LeapAugmented>& leap_;
  std::uint64_t seed_;
  Plan plan_;
  std::map<std::size_t, std::shared_ptr<AuxiliaryNet>> shared_nets_;  ///< by module
  LossPtr head_loss_ = cross_entropy();
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
}

}  // namespace

Plan make_local_plan(const Backbone& backbone, const Partition& partition, const Host& host,
                     const std::optional<Multilaminar>& multilaminar,
                     const std::optional<LeapAugmented>& leap_augmented, std::uint64_t seed) {
  if (multilaminar) check_window(*multilaminar, partition.size());
  if (leap_augmented) check_rows(backbone, partition, leap_augmented->rows);
  PlanBuilder plan(backbone, partition, host, leap_augmented, seed);
  const bool leaps = leap_augmented.has_value();
  const std::size_t last = partition.size() - 1;
  if (!multilaminar) {
    for (std::size_t j = 0; j < last; ++j) plan.supervise("local", j, j, leaps, 1);
    plan.supervise_by_head("output", last, 1);
    return plan.take();
  }

  const Multilaminar& mlm = *multilaminar;
  for (std::size_t j = 0; j < last; ++j) {
    // The larger net first, while no other cotangent waits.
    if (j + 1 >= mlm.window) {
      plan.supervise("cascaded", j + 1 - mlm.window, j, leaps, mlm.cascaded_weight);
    }
    if (j > 0 || !mlm.published_code) {
      plan.supervise("independent", j, j, /*leaps=*/false, mlm.independent_weight);
    }
  }
  const std::size_t last_start = last + 1 - mlm.window;
  if (mlm.published_code) {
    plan.supervise_by_head("output", last_start, 1);
  } else {
    plan.supervise_by_head("cascaded", last_start, mlm.cascaded_weight);
    plan.supervise_by_head("independent", last, mlm.independent_weight);
  }
  return plan.take();
}

}  // namespace mlaan

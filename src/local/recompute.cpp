// Recomputation of a whole plan, chosen at once instead of module by module.
#include <mlaan/local/recompute.h>
#include <mlaan/nn/rebuilds_activations.h>

namespace mlaan {
namespace {

/// Parameters, frozen ones too, in layers that can rebuild their activations.
std::int64_t rebuilding_parameters(const std::vector<Unit>& units) {
  std::int64_t count = 0;
  for (const auto& unit : units) {
    for (const auto& layer : unit.layers()) {
      for (const auto& module : layer.module.ptr()->modules()) {
        if (dynamic_cast<const RebuildsActivations*>(module.get()) == nullptr) continue;
        for (const auto& parameter : module->parameters()) count += parameter.numel();
      }
    }
  }
  return count;
}

}  // namespace

Recompute parse_recompute(const std::string& text) {
  if (text == "none") return Recompute::none;
  if (text == "activation") return Recompute::activations;
  if (text == "module") return Recompute::module;
  if (text == "unit") return Recompute::units;
  throw UserError("unknown recomputation '" + text + "'; known: none, activation, module, unit");
}

void set_recompute(Plan& plan, Recompute recompute) {
  if (plan.recompute.empty()) plan.recompute.assign(plan.partition.size(), recompute);
  if (plan.recompute_nets.empty()) {
    plan.recompute_nets.assign(nets(plan).size(),
                               recompute == Recompute::module ? Recompute::none : recompute);
  }
}

Recompute default_recompute(const Plan& plan, const Backbone& backbone) {
  std::int64_t of_nets = 0;
  for (const auto& net : nets(plan)) of_nets += rebuilding_parameters(net->units());
  return of_nets > 2 * rebuilding_parameters(backbone.units()) ? Recompute::activations
                                                               : Recompute::none;
}

}  // namespace mlaan

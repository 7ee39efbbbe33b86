// What a plan recomputes, chosen by a policy instead of module by module.
#include <mlaan/local/recompute.h>

namespace mlaan {

RecomputePolicy parse_recompute_policy(const std::string& text) {
  if (text == "none") return RecomputePolicy::none;
  if (text == "activation") return RecomputePolicy::activation;
  if (text == "module") return RecomputePolicy::module;
  if (text == "unit") return RecomputePolicy::unit;
  throw UserError("unknown recomputation '" + text + "'; known: none, activation, module, unit");
}

void set_recompute(Plan& plan, RecomputePolicy policy) {
  switch (policy) {
    case RecomputePolicy::none:
      return;
    case RecomputePolicy::activation:
      plan.recompute.assign(plan.partition.size(), Recompute::activations);
      plan.recompute_nets.assign(nets(plan).size(), Recompute::activations);
      return;
    case RecomputePolicy::module:
      plan.recompute.assign(plan.partition.size(), Recompute::module);
      plan.recompute_nets.clear();
      return;
    case RecomputePolicy::unit:
      plan.recompute.assign(plan.partition.size(), Recompute::units);
      plan.recompute_nets.assign(nets(plan).size(), Recompute::units);
      return;
  }
}

}  // namespace mlaan

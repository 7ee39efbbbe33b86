// Recomputation of a whole plan, chosen at once instead of module by module.
#include <mlaan/local/recompute.h>

namespace mlaan {

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

}  // namespace mlaan

// Sets the recomputation of a whole plan at once instead of module by module.
#include <mlaan/local/recompute.h>

#include <algorithm>

namespace mlaan {
namespace {

/// Whether a window ends before the last module or begins after the first.
bool is_local(const Plan& plan) {
  return std::any_of(plan.supervisions.begin(), plan.supervisions.end(),
                     [last = plan.partition.size() - 1](const Supervision& supervision) {
                       return supervision.first > 0 || supervision.last < last;
                     });
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

Recompute default_recompute(const Plan& plan) {
  return is_local(plan) ? Recompute::activations : Recompute::none;
}

}  // namespace mlaan

// The registry of training methods: the one place that knows all their names.
#include <mlaan/local/method.h>
#include <mlaan/local/methods/auglocal.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/infopro.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/man.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/methods/mlaan_relay.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/local/methods/predsim.h>

#include <cmath>
#include <set>

namespace mlaan {

void check_phases(const std::vector<MethodPhase>& phases, const std::string& method) {
  double sum = 0;
  std::set<std::string> names;
  for (const auto& phase : phases) {
    const std::string which = method + ", phase '" + phase.name + "': ";
    if (!names.insert(phase.name).second) {
      throw UserError(which + "another phase has that name");
    }
    if (!(phase.share > 0 && phase.share <= 1)) {
      throw UserError(which + "its share is " + to_toml(phase.share) +
                      "; a share must be above 0 and at most 1");
    }
    if (phase.method.phases) {
      throw UserError(which + phase.method.name + " has phases itself; accepted: a method without");
    }
    sum += phase.share;
  }
  if (phases.empty()) throw UserError(method + " has no phase");
  if (std::abs(sum - 1) > 1e-6) {
    throw UserError(method + ": the shares of its phases add up to " + to_toml(sum) +
                    "; they must add up to 1");
  }
}

const Registry<MethodEntry>& method_registry() {
  using namespace methods;
  static const Registry<MethodEntry> registry(
      "method", {e2e_entry(), checkpoint_entry(), greedy_entry(), dgl_entry(), predsim_entry(),
                 infopro_entry(), auglocal_entry(), man_entry(), mlm_entry(), lam_entry(),
                 mlaan_entry(), mlaan_lean_entry(), mlaan_relay_entry()});
  return registry;
}

const Registry<AdditionEntry>& addition_registry() {
  using namespace methods;
  static const Registry<AdditionEntry> registry("addition",
                                                {mlm_addition(), lam_addition(), man_addition()});
  return registry;
}

std::string default_method() {
  return methods::mlaan_relay_entry().name;
}

std::string reference_method() {
  return methods::e2e_entry().name;
}

std::string checkpointing_spec(std::int64_t segments) {
  return methods::checkpoint_entry().name + ":" + CheckpointOptions::section +
         ".segments=" + std::to_string(segments);
}

}  // namespace mlaan

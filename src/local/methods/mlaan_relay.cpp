// MLAAN relay: few local modules first, the whole network last.
#include <mlaan/local/cost_report.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/methods/mlaan_relay.h>

#include <algorithm>
#include <cmath>

namespace mlaan {

void RelayOptions::describe(FieldList& fields) {
  fields.add("whole_share", whole_share,
             "share of the training in the end-to-end phase, with each module recomputed",
             between(0, 1));
  fields.add("narrow", narrow, "lean.narrow of the local phase", at_least(1));
  fields.add("whole_first", whole_first, "train end to end first, and modules last");
}

namespace methods {
namespace {

Partition relay_partition(const Backbone& backbone, std::size_t modules,
                          const OptionSet& /*options*/) {
  // Throws an error that names the network.
  if (modules > backbone.size()) return Partition::uniform(backbone, modules);
  return Partition::balanced(unit_activation_bytes(backbone),
                             modules == 0 ? relay_modules(backbone) : modules);
}

MethodEntry local_phase() {
  MethodEntry entry = mlaan_lean_entry();
  entry.partition = relay_partition;
  return entry;
}

/// End-to-end training with one checkpointed segment per module.
MethodEntry whole_phase() {
  MethodEntry entry = checkpoint_entry();
  entry.partition = relay_partition;
  return entry;
}

std::vector<MethodPhase> relay_phases(const OptionSet& options) {
  const auto& relay = options.get<RelayOptions>();
  std::vector<MethodPhase> phases;
  if (relay.whole_share < 1) {
    phases.push_back({"local",
                      1 - relay.whole_share,
                      local_phase(),
                      {{"lean.narrow", std::to_string(relay.narrow)}}});
  }
  if (relay.whole_share > 0) {
    phases.push_back({"whole", relay.whole_share, whole_phase(), {}});
  }
  if (relay.whole_first) std::reverse(phases.begin(), phases.end());
  return phases;
}

}  // namespace

std::size_t relay_modules(const Backbone& backbone) {
  const auto balance =
      static_cast<std::size_t>(std::lround(std::sqrt(2.0 * static_cast<double>(backbone.size()))));
  return std::clamp<std::size_t>(balance, 2, std::max<std::size_t>(2, backbone.block_count()));
}

MethodEntry mlaan_relay_entry() {
  MethodEntry entry = local_phase();
  entry.name = "mlaan-relay";
  entry.summary =
      "few modules by mlaan-lean with full-width leap layers, then end-to-end with recomputation";
  const auto declare_lean = entry.declare;
  entry.declare = [declare_lean](OptionSet& options) {
    options.get<RelayOptions>();
    declare_lean(options);
    whole_phase().declare(options);
  };
  entry.phases = relay_phases;
  return entry;
}

}  // namespace methods
}  // namespace mlaan

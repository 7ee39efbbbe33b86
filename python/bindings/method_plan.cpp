// Makes plans from a method's name and its settings.
#include "method_plan.h"

#include <mlaan/core/suggest.h>
#include <mlaan/local/partition_kind.h>

#include <algorithm>

namespace mlaan::python {
namespace {

Partition partition_for(const Backbone& backbone, const PlanRequest& request,
                        const MethodEntry& method, OptionSet& options) {
  const auto* kind = std::get_if<std::string>(&request.partition);
  if (kind != nullptr && *kind == "default" && method.partition) {
    return method.partition(backbone, request.modules, options);
  }
  return make_partition(backbone, request.partition, request.modules);
}

/// Assigns the settings to an option set in which the method has declared its options.
void apply(const Settings& settings, OptionSet& options, bool skip_unknown) {
  const auto known = options.keys();
  for (const auto& [key, value] : settings) {
    if (skip_unknown && std::find(known.begin(), known.end(), key) == known.end()) continue;
    options.field(key).assign(value);
  }
}

}  // namespace

Partition make_partition(const Backbone& backbone, const PartitionChoice& choice,
                         std::size_t modules) {
  if (const auto* units = std::get_if<std::vector<std::string>>(&choice)) {
    Partition partition = Partition::after(backbone, *units);
    if (modules == 0 || modules == partition.size()) return partition;
    throw UserError("the units of `partition` make " + std::to_string(partition.size()) +
                    " modules, but modules = " + std::to_string(modules));
  }
  const auto& kind = std::get<std::string>(choice);
  if (const auto known = partition_of_kind(kind, backbone, modules)) return *known;
  throw UserError(unknown_name("partition", kind,
                               {"default", "published", "uniform", "bytes", "multiply-adds"}) +
                  ", or a list of the last units of the modules");
}

Plan make_plan(const Backbone& backbone, const PlanRequest& request) {
  const MethodEntry method = find_method(request.method);
  OptionSet options;
  method.declare(options);
  apply(request.settings, options, /*skip_unknown=*/false);
  if (!method.phases) {
    return method.plan(backbone, partition_for(backbone, request, method, options), options,
                       request.seed);
  }
  const MethodPhase phase = method.phases(options).at(request.phase);
  OptionSet own;
  phase.method.declare(own);
  apply(request.settings, own, /*skip_unknown=*/true);
  for (const auto& [key, text] : phase.settings) own.field(key).assign_text(text);
  return phase.method.plan(backbone, partition_for(backbone, request, phase.method, own), own,
                           request.seed);
}

std::vector<PhaseOutline> phases_of(const std::string& name, const Settings& settings) {
  const MethodEntry method = find_method(name);
  if (!method.phases) return {{"", 1}};
  OptionSet options;
  method.declare(options);
  apply(settings, options, /*skip_unknown=*/false);
  const auto phases = method.phases(options);
  check_phases(phases, name);
  std::vector<PhaseOutline> outlines;
  for (const auto& phase : phases) outlines.push_back({phase.name, phase.share});
  return outlines;
}

std::vector<SettingOutline> settings_of(const std::string& method) {
  OptionSet options;
  find_method(method).declare(options);
  std::vector<SettingOutline> settings;
  for (const auto& field : options.fields()) {
    settings.push_back({field.key, to_toml(field.initial), field.accepted(), field.help});
  }
  return settings;
}

}  // namespace mlaan::python

// Plans by a method's name, with the method's options as keys and values.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/local/method.h>
#include <mlaan/local/plan.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace mlaan::python {

using Settings = std::vector<std::pair<std::string, OptionValue>>;

/// "default", "published", "uniform", "bytes" or "multiply-adds", or the last units of modules.
using PartitionChoice = std::variant<std::string, std::vector<std::string>>;

/// What a plan is asked for.
struct PlanRequest {
  std::string method;
  Settings settings;  ///< of the method: {"mlm.window", 3}
  PartitionChoice partition = std::string("default");
  std::size_t modules = 0;  ///< 0: as many as the method or the partition finds best
  std::uint64_t seed = 0;
  std::size_t phase = 0;  ///< of the method, from 0
};

/// A partition that no method has a say in.
/// \param modules 0: one block a module.
/// \throws UserError for an unknown kind, naming the nearest, and for units that are none.
Partition make_partition(const Backbone& backbone, const PartitionChoice& choice,
                         std::size_t modules);

/// \throws UserError for an unknown method, setting or partition.
Plan make_plan(const Backbone& backbone, const PlanRequest& request);

/// Phases of a method: one for a method without.
struct PhaseOutline {
  std::string name;  ///< "" where there is only one
  double share = 1;
};
std::vector<PhaseOutline> phases_of(const std::string& method, const Settings& settings);

/// The keys that a method reads, with what each accepts and means.
struct SettingOutline {
  std::string key;
  std::string initial;
  std::string accepted;
  std::string help;
};
std::vector<SettingOutline> settings_of(const std::string& method);

}  // namespace mlaan::python

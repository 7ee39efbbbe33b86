// Makes plans from a method's name and its settings.
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

/// "default", "published", "uniform", "bytes" or "multiply-adds"; or the name of each module's last
/// unit.
using PartitionChoice = std::variant<std::string, std::vector<std::string>>;

/// The method and settings to make a plan from.
struct PlanRequest {
  std::string method;
  Settings settings;  ///< of the method: {"mlm.window", 3}
  PartitionChoice partition = std::string("default");
  std::size_t modules = 0;  ///< 0: the default of the method or the partition
  std::uint64_t seed = 0;
  std::size_t phase = 0;  ///< index of the method's phase, from 0
};

/// A partition that does not depend on a method.
/// \param modules 0: one block per module.
/// \throws UserError for an unknown kind, naming the nearest, and for unknown units.
Partition make_partition(const Backbone& backbone, const PartitionChoice& choice,
                         std::size_t modules);

/// \throws UserError for an unknown method, setting or partition.
Plan make_plan(const Backbone& backbone, const PlanRequest& request);

/// A phase of a method. A method without phases has one.
struct PhaseOutline {
  std::string name;  ///< "" if it is the only one
  double share = 1;
};
std::vector<PhaseOutline> phases_of(const std::string& method, const Settings& settings);

/// A key that a method reads, with its default, accepted values and meaning.
struct SettingOutline {
  std::string key;
  std::string initial;
  std::string accepted;
  std::string help;
};
std::vector<SettingOutline> settings_of(const std::string& method);

}  // namespace mlaan::python

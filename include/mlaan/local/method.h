// A training method: makes a supervision plan from a backbone and a partition.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/registry.h>
#include <mlaan/local/host.h>
#include <mlaan/local/plan.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

struct MethodPhase;

/// A method as the registry knows it. Each method's own file makes its entry.
struct MethodEntry {
  std::string name;     ///< "mlaan"
  std::string summary;  ///< one line for `mlaan info methods`
  /// Adds the option structs that the method reads to the set.
  std::function<void(OptionSet& options)> declare;
  /// Builds the plan. Weights of new nets are a pure function of the seed and the net's name.
  std::function<Plan(const Backbone& backbone, const Partition& partition, const OptionSet& options,
                     std::uint64_t seed)>
      plan;
  /// Whether the method's gradients are those of end-to-end backpropagation, which local methods
  /// are compared with.
  bool end_to_end = false;
  /// The method's components, for a method that additions can extend; else null.
  std::function<LocalMethod(const Backbone& backbone, const Partition& partition,
                            const OptionSet& options)>
      host = nullptr;
  /// The method's phases, for a method that changes its plan during training; else null. With
  /// phases, `plan` is that of the first phase without its settings, or null.
  std::function<std::vector<MethodPhase>(const OptionSet& options)> phases = nullptr;
  /// The partition of a run that does not set one; null: one block per module.
  /// \param modules number of modules; 0: as many as the method finds best.
  std::function<Partition(const Backbone& backbone, std::size_t modules, const OptionSet& options)>
      partition = nullptr;
};

/// One stretch of a training, with a plan of its own.
struct MethodPhase {
  std::string name;
  double share = 1;    ///< of the training; the phases' shares add up to 1
  MethodEntry method;  ///< without phases
  /// Settings of the run that the phase overrides, as keys and values:
  /// {"engine.recompute", "unit"}.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

/// Checks the phases of a method.
/// \throws UserError naming the phase, if there is no phase, two have the same name, a share is not
///         above 0, the shares do not add up to 1, or a phase's method has phases itself.
void check_phases(const std::vector<MethodPhase>& phases, const std::string& method);

/// An extension of a host: "mlm" in "infopro+mlm".
struct AdditionEntry {
  std::string name;
  std::string summary;
  std::function<void(OptionSet& options)> declare;
  std::function<void(LocalMethod& method, const Backbone& backbone, const OptionSet& options)> add;
};

/// Makes the entry of a method that consists of a host, which additions can extend.
MethodEntry host_entry(
    std::string name, std::string summary, std::function<void(OptionSet& options)> declare,
    std::function<LocalMethod(const Backbone& backbone, const Partition& partition,
                              const OptionSet& options)>
        make);

/// Makes the entry of a host with additions, as for "HOST+ADDITION+…", under a name of its own.
/// \throws UserError if `host` is not a host.
MethodEntry composed_entry(std::string name, std::string summary, const MethodEntry& host,
                           const std::vector<AdditionEntry>& additions);

/// All methods with a name of their own.
const Registry<MethodEntry>& method_registry();

/// All additions.
const Registry<AdditionEntry>& addition_registry();

/// The method of this name: a registered one, HOST+ADDITION+…, or "auto".
/// \throws UserError for an unknown name, naming the nearest known one, for a method before the '+'
///         that is not a host, and for an addition that is named twice.
MethodEntry find_method(const std::string& name);

/// The name of the method that trains by default and that "auto" stands for: the one with the best
/// results for its memory.
std::string default_method();

/// The name of the method that all others are compared with: end-to-end backpropagation.
std::string reference_method();

/// The text "checkpoint:checkpoint.segments=N": end-to-end backpropagation with activation
/// checkpointing in N segments.
std::string checkpointing_spec(std::int64_t segments);

}  // namespace mlaan

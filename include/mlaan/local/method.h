// A training method: what turns a backbone and a partition into a supervision plan.
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
  /// Asks the set for the option structs that the method reads.
  std::function<void(OptionSet& options)> declare;
  /// Builds the plan. Weights of new nets are a pure function of the seed and the net's name.
  std::function<Plan(const Backbone& backbone, const Partition& partition, const OptionSet& options,
                     std::uint64_t seed)>
      plan;
  /// Whether it gives the gradients of end-to-end backpropagation: what local methods are measured
  /// against.
  bool end_to_end = false;
  /// What it is made of, for a method that additions can be put to; else null.
  std::function<LocalMethod(const Backbone& backbone, const Partition& partition,
                            const OptionSet& options)>
      host = nullptr;
  /// Its phases, for a method that changes its plan during training; else null. `plan` is then that
  /// of the first phase without its settings, or null.
  std::function<std::vector<MethodPhase>(const OptionSet& options)> phases = nullptr;
  /// Where to cut the network when the run does not say; null: one block a module.
  /// \param modules to cut it into; 0: as many as the method finds best.
  std::function<Partition(const Backbone& backbone, std::size_t modules, const OptionSet& options)>
      partition = nullptr;
};

/// One stretch of a training, with a plan of its own.
struct MethodPhase {
  std::string name;
  double share = 1;    ///< of the training; those of all phases add up to 1
  MethodEntry method;  ///< without phases
  /// What it sets of the run's settings, keys and values: {"engine.recompute", "unit"}.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

/// \throws UserError naming the phase, where there is none, two have one name, a share is not above
///         0, the shares do not add up to 1, or a phase's method has itself phases.
void check_phases(const std::vector<MethodPhase>& phases, const std::string& method);

/// Something to put to a host: "mlm" in "infopro+mlm".
struct AdditionEntry {
  std::string name;
  std::string summary;
  std::function<void(OptionSet& options)> declare;
  std::function<void(LocalMethod& method, const Backbone& backbone, const OptionSet& options)> add;
};

/// The entry of a method that is made of a host, and can have additions put to it.
MethodEntry host_entry(
    std::string name, std::string summary, std::function<void(OptionSet& options)> declare,
    std::function<LocalMethod(const Backbone& backbone, const Partition& partition,
                              const OptionSet& options)>
        make);

/// The entry of a host with additions, under a name of its own: what "HOST+ADDITION+…" is too.
/// \throws UserError for a host that is none.
MethodEntry composed_entry(std::string name, std::string summary, const MethodEntry& host,
                           const std::vector<AdditionEntry>& additions);

/// Every method that can be asked for by name.
const Registry<MethodEntry>& method_registry();

/// Every addition.
const Registry<AdditionEntry>& addition_registry();

/// The method of this name: a registered one, HOST+ADDITION+…, or "auto".
/// \throws UserError for an unknown one, naming the nearest known, for a host that is none, and for
///         an addition that is named twice.
MethodEntry find_method(const std::string& name);

/// The name of the method that trains where none is asked for, and that "auto" stands for: the one
/// that gives the most for its bytes.
std::string default_method();

/// The name of the method that all others are compared with: end-to-end backpropagation.
std::string reference_method();

/// The spec of end-to-end backpropagation with activation checkpointing in so many segments.
std::string checkpointing_spec(std::int64_t segments);

}  // namespace mlaan

// A training method: what turns a backbone and a partition into a supervision plan.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/registry.h>
#include <mlaan/local/plan.h>

#include <cstdint>
#include <functional>
#include <string>

namespace mlaan {

/// A method as the registry knows it. Each method's own file makes its entry.
struct MethodEntry {
  std::string name;     ///< "mlaan"
  std::string summary;  ///< one line for `mlaan info methods`
  /// Asks the set for the option structs that the method reads.
  std::function<void(OptionSet& options)> declare;
  /// Builds the plan. Weights of new nets are a pure function of the seed and the net's name.
  std::function<Plan(const Backbone& backbone, const Partition& partition, OptionSet& options,
                     std::uint64_t seed)>
      plan;
  /// Whether it gives the gradients of end-to-end backpropagation: what local methods are measured
  /// against.
  bool end_to_end = false;
};

/// Every method that can be asked for by name.
const Registry<MethodEntry>& method_registry();

/// The name of the method that all others are compared with: end-to-end backpropagation.
std::string reference_method();

}  // namespace mlaan

// What the modules and the auxiliary nets of a plan cost, found by running them.
#pragma once

#include <mlaan/local/plan.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// The cost of a forward pass, for one image.
struct ForwardCost {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;
  /// Bytes that the forward pass saves for the backward pass, its output included; 0 if the
  /// counting allocator is not installed.
  std::int64_t activation_bytes = 0;
};

struct ModuleCost {
  std::vector<std::string> units;  ///< descriptions
  Shape output_shape;
  ForwardCost cost;
};

/// A net, the supervisions that read it, and its cost.
struct NetCost {
  std::string name;                       ///< "head" for the backbone's own head
  std::size_t module = 0;                 ///< the module whose output it reads, from 0
  std::vector<std::string> units;         ///< descriptions
  std::vector<std::size_t> supervisions;  ///< indices in the plan; empty for a trunk
  /// Average number of forward passes per step: one for each module and loss that the net serves
  /// (for a trunk, one for each module), times the supervision's probability.
  double runs = 1;
  ForwardCost cost;
};

struct CostReport {
  std::vector<ModuleCost> modules;
  ForwardCost head;  ///< the backbone's own head
  std::vector<NetCost> nets;
};

/// Runs every module and net once, on a few images of zeros, on the CPU. Running statistics and the
/// default generator are restored.
CostReport cost_report(const Backbone& backbone, const Plan& plan);

/// For each unit, the bytes per image that its forward pass saves for the backward pass, its output
/// included. Needs the counting allocator.
std::vector<std::int64_t> unit_activation_bytes(const Backbone& backbone);

/// For each unit, the multiply-adds of its forward pass per image.
std::vector<std::int64_t> unit_multiply_adds(const Backbone& backbone);

}  // namespace mlaan

// What the modules and the auxiliary nets of a plan cost, found by running them.
#pragma once

#include <mlaan/local/plan.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// Of one image, forward.
struct ForwardCost {
  std::int64_t parameters = 0;
  std::int64_t multiply_adds = 0;
  /// Bytes that the forward pass keeps for the backward pass, its output included; 0 where the
  /// counting allocator is not installed.
  std::int64_t activation_bytes = 0;
};

struct ModuleCost {
  std::vector<std::string> units;  ///< their descriptions
  Shape output_shape;
  ForwardCost cost;
};

/// A net, the supervisions that read it, and its cost.
struct NetCost {
  std::string name;        ///< "head" for the backbone's own
  std::size_t module = 0;  ///< whose output it reads
  std::vector<std::string> units;
  std::vector<std::size_t> supervisions;  ///< none for a trunk, which nets read
  /// How often it runs forward in a step, on average: once for each module and loss that it serves
  /// (a trunk once for each module), where chance decides so much less often.
  double runs = 1;
  ForwardCost cost;
};

struct CostReport {
  std::vector<ModuleCost> modules;
  ForwardCost head;  ///< the backbone's own
  std::vector<NetCost> nets;
};

/// Runs every module and net once, on a few images of zeros, on the CPU; running statistics and the
/// default generator are left as they were.
CostReport cost_report(const Backbone& backbone, const Plan& plan);

/// For each unit the bytes of one image that its forward pass keeps for the backward pass, its
/// output included. Needs the counting allocator.
std::vector<std::int64_t> unit_activation_bytes(const Backbone& backbone);

/// For each unit the multiply-adds of one image, forward.
std::vector<std::int64_t> unit_multiply_adds(const Backbone& backbone);

}  // namespace mlaan

// The order in which one training step runs a plan: what is computed, kept and freed, and when.
#pragma once

#include <mlaan/local/operation.h>
#include <mlaan/local/plan.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mlaan {

/// Supervisions that share a module, net, loss and probability.
struct Evaluation {
  std::size_t module;
  std::size_t net;                   ///< in the order of nets(plan)
  std::optional<std::size_t> trunk;  ///< that the net reads
  LossPtr loss;
  std::vector<std::size_t> supervisions;
  double weight = 0;  ///< the sum of all weights; at 0 it is left out
  double probability = 1;
  /// For each first module of a window, in the order of their supervisions, the windows' weight.
  struct Group {
    std::size_t start;
    double weight;
  };
  std::vector<Group> groups;
};

/// What a step does, in an order that frees memory at the earliest. Any order that respects
/// dependencies(operations) gives the same results, bit for bit.
struct Schedule {
  std::vector<Evaluation> evaluations;
  std::vector<OperationPtr> operations;
};

/// What the schedule has to know besides the plan.
struct PartFacts {
  std::vector<bool> modules;  ///< has a parameter that takes a gradient
  std::vector<bool> nets;     ///< likewise, in the order of nets(plan)
  /// For each net the modules that a twin in it follows, whose parameters it may share. Empty:
  /// none.
  std::vector<std::vector<std::size_t>> twins{};
};

/// Finds an order of the step in which every module runs forward once, every gradient of the plan
/// is computed exactly, and activations are freed at the earliest.
///
/// Cotangents of windows with one start travel together, each through every module of the window
/// after its first, as soon as the last window of that start has been evaluated. A module's
/// parameters get their gradient in one product, of the sum of all its cotangents; where a module
/// is reached by one travelling group alone, that product gives the input's cotangent as well, so
/// that end-to-end training costs what backpropagation costs. Supervisions of weight 0 are left
/// out.
///
/// \param fused_update step each module's and net's optimizer as soon as its gradient is complete,
///        instead of all of them at the end.
Schedule make_schedule(const Plan& plan, const PartFacts& facts, bool fused_update);

/// Gives the evaluations the weights that their supervisions have when so much of the training, or
/// of its phase, is done. \param progress from 0 to 1.
void set_weights(Schedule& schedule, const Plan& plan, double progress);

/// The same schedule in another order.
/// \param order indices of its operations.
/// \throws Error if that leaves one out or lets one run ahead of another that it depends on.
Schedule in_order(const Schedule& schedule, const std::vector<std::size_t>& order);

}  // namespace mlaan

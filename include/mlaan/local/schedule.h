// The order in which a training step of a plan computes, keeps and frees tensors.
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
  std::size_t net;                   ///< index in nets(plan)
  std::optional<std::size_t> trunk;  ///< trunk of the net, likewise
  LossPtr loss;
  std::vector<std::size_t> supervisions;  ///< indices in the plan
  double weight = 0;                      ///< sum over the supervisions; 0: not evaluated
  double probability = 1;
  /// Windows that begin at the same module.
  struct Group {
    std::size_t start;  ///< first module of the windows
    double weight;      ///< sum of the windows' weights
  };
  std::vector<Group> groups;  ///< in the order of their first supervisions
};

/// The operations of a step, in an order that frees memory as early as possible. Any order that
/// respects dependencies(operations) gives the same results, bit for bit.
struct Schedule {
  std::vector<Evaluation> evaluations;
  std::vector<OperationPtr> operations;
};

/// What make_schedule() has to know besides the plan.
struct PartFacts {
  std::vector<bool> modules;  ///< whether each has a trainable parameter
  std::vector<bool> nets;     ///< likewise, in the order of nets(plan)
  /// For each net, the modules that its twins follow, whose parameters it may share. Empty: none.
  std::vector<std::vector<std::size_t>> twins{};
};

/// Makes the schedule of a step in which every module runs forward once, every gradient of the plan
/// is computed exactly, and activations are freed as early as possible.
///
/// The cotangents of windows that begin at the same module form a group. As soon as the last of
/// these windows is evaluated, the group goes backward through all of its modules but the first. A
/// module's parameters get their gradient in one backward pass, from the sum of all its cotangents.
/// If only one group passes through a module, the same backward pass computes the input's
/// cotangent, so that end-to-end training costs what ordinary backpropagation costs. Supervisions
/// of weight 0 are left out.
///
/// \param fused_update whether each module's and net's optimizer steps as soon as its gradient is
///        complete, instead of at the end of the step.
Schedule make_schedule(const Plan& plan, const PartFacts& facts, bool fused_update);

/// Sets the evaluations' weights to those of their supervisions at a time of the training, or of
/// the plan's phase.
/// \param progress share of it that is done, from 0 to 1.
void set_weights(Schedule& schedule, const Plan& plan, double progress);

/// The same schedule in another order.
/// \param order indices of the schedule's operations.
/// \throws Error if it leaves out an operation, or runs one before another that it depends on.
Schedule in_order(const Schedule& schedule, const std::vector<std::size_t>& order);

}  // namespace mlaan

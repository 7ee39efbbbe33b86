// The operations that one of several stages runs in a step, and their order.
#pragma once

#include <mlaan/local/schedule.h>
#include <mlaan/local/stages.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace mlaan {

/// For each module that twins follow: for each stage, whether it has such a twin.
using FollowedModules = std::map<std::size_t, std::vector<bool>>;

struct StageSchedule {
  std::vector<OperationPtr> operations;
  /// For each operation, whether it is late: it waits for what a later stage sends back, and
  /// nothing that this stage sends depends on it. A step runs the late operations of the step
  /// before, as late as its own operations allow, so that a stage goes on with the next batch
  /// instead of waiting.
  std::vector<bool> late;
};

/// The stage of each net, which is that of the modules whose outputs the net reads.
/// \param names of the nets, for messages.
/// \throws UserError for a net that reads modules of several stages.
std::vector<std::size_t> stages_of_nets(const Schedule& schedule, const Stages& stages,
                                        const std::vector<std::string>& names);

/// The schedule's operations for modules of the own stage, in the schedule's order, together with
/// operations that send and receive tensors: the output of the stage's last module to the next
/// stage, cotangents of windows that span a border back to the stage before, and parameters of
/// modules that twins follow to the stages of the twins.
/// \param followed the modules that twins follow.
/// \param delay number of steps by which twins follow late.
/// \param overlaps whether steps may leave late operations to the next step.
StageSchedule make_stage_schedule(const Schedule& schedule, const Stages& stages,
                                  const FollowedModules& followed, std::int64_t delay,
                                  bool overlaps);

}  // namespace mlaan

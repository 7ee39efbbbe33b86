// What one of several stages does in a step, and in which order.
#pragma once

#include <mlaan/local/schedule.h>
#include <mlaan/local/stages.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace mlaan {

/// A module that twins follow, with the stages that have twins of it.
using FollowedModules = std::map<std::size_t, std::vector<bool>>;

struct StageSchedule {
  std::vector<OperationPtr> operations;
  /// Of each operation, whether it is what the step before has left: it waits for what a later
  /// stage sends back, and nothing that this stage sends depends on it. Such operations run as late
  /// as the next step's allow, so that a stage goes on with the next batch instead of waiting.
  std::vector<bool> late;
};

/// The stage that each net is on: that of the modules whose outputs it reads.
/// \param names of the nets, for messages.
/// \throws UserError for a net that reads modules of several stages.
std::vector<std::size_t> stages_of_nets(const Schedule& schedule, const Stages& stages,
                                        const std::vector<std::string>& names);

/// The operations of the schedule that are about modules of the own stage, in their order, and what
/// brings tensors across its borders: the output of its last module to the next stage, cotangents
/// of windows that go on there back, parameters of modules that twins follow to the twins. \param
/// delay steps that twins follow late. \param overlaps whether steps may leave operations to
///        the next one.
StageSchedule make_stage_schedule(const Schedule& schedule, const Stages& stages,
                                  const FollowedModules& followed, std::int64_t delay,
                                  bool overlaps);

}  // namespace mlaan

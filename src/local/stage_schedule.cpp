// The operations that one of several stages executes in a step, and their order.
#include "local/operations/backward_module.h"
#include "local/operations/follow_module.h"
#include "local/operations/forward_module.h"
#include "local/operations/pass_cotangent.h"
#include "local/operations/pass_output.h"
#include "local/operations/update_part.h"

#include <mlaan/core/error.h>
#include <mlaan/local/stage_schedule.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace mlaan {
namespace {

std::string number_of_module(std::size_t module) {
  return std::to_string(module + 1);
}

/// The operations of one stage, in the order of the whole schedule.
class StageScheduler {
 public:
  StageScheduler(const Schedule& schedule, const Stages& stages, const FollowedModules& followed,
                 std::int64_t delay)
      : schedule_(schedule), stages_(stages), followed_(followed), delay_(delay) {}

  std::vector<OperationPtr> run() {
    for (const auto& operation : schedule_.operations) {
      if (const auto* forward = dynamic_cast<const ForwardModule*>(operation.get())) {
        add_own(operation);
        if (forward->module() + 1 < module_count()) pass_output(forward->module());
      } else if (const auto* backward = dynamic_cast<const BackwardModule*>(operation.get())) {
        add_own(operation);
        if (backward->settings().input) pass_cotangent(*backward);
      } else {
        add_own(operation);
        const auto* update = dynamic_cast<const UpdatePart*>(operation.get());
        if (update != nullptr && !update->net()) pass_parameters(update->module());
      }
    }
    follow();
    return std::move(operations_);
  }

 private:
  std::size_t module_count() const {
    std::size_t count = 0;
    for (const auto& operation : schedule_.operations) {
      count = std::max(count, operation->module() + 1);
    }
    return count;
  }

  bool is_own(std::size_t module) const { return stages_.of_module(module) == stages_.own; }

  void add_own(const OperationPtr& operation) {
    if (is_own(operation->module())) operations_.push_back(operation);
  }

  template <class Kind>
  void add(Kind operation) {
    operations_.push_back(std::make_shared<const Kind>(std::move(operation)));
  }

  /// Every stage calls this for all channels of the schedule, so that all stages number them alike.
  StageChannel channel(std::size_t from, std::size_t to, std::string what) {
    return {channels_++, from, to, std::move(what), 0};
  }

  void pass_output(std::size_t module) {
    if (!stages_.is_border(module)) return;
    const std::size_t from = stages_.of_module(module);
    StageChannel way = channel(from, from + 1, "the output of module " + number_of_module(module));
    if (stages_.own == from)
      add(SendOutput(module, std::move(way)));
    else if (stages_.own == from + 1)
      add(ReceiveOutput(module, std::move(way)));
  }

  void pass_cotangent(const BackwardModule& backward) {
    const std::size_t before = backward.module() - 1;
    if (!stages_.is_border(before)) return;
    const std::size_t to = stages_.of_module(before);
    const std::size_t group = *backward.settings().group;
    StageChannel way = channel(to + 1, to, "the cotangent of module " + number_of_module(before));
    if (stages_.own == to)
      add(ReceiveCotangent(before, group, std::move(way)));
    else if (stages_.own == to + 1)
      add(SendCotangent(before, group, std::move(way)));
  }

  void pass_parameters(std::size_t module) {
    const auto found = followed_.find(module);
    if (found == followed_.end()) return;
    const std::size_t from = stages_.of_module(module);
    for (std::size_t to = 0; to < stages_.count(); ++to) {
      if (to == from || !found->second[to]) continue;
      StageChannel way = channel(from, to, "the parameters of module " + number_of_module(module));
      way.most_under_way += static_cast<std::size_t>(delay_);
      if (stages_.own == from) add(SendParameters(module, way));
      if (stages_.own == to) received_.emplace(module, std::move(way));
    }
  }

  void follow() {
    for (const auto& [module, on_stages] : followed_) {
      const auto found = received_.find(module);
      if (found != received_.end())
        add(FollowReceived(module, found->second));
      else if (is_own(module) || on_stages[stages_.own])
        add(FollowModule(module));
    }
  }

  const Schedule& schedule_;
  const Stages& stages_;
  const FollowedModules& followed_;
  std::int64_t delay_;
  std::size_t channels_ = 0;
  std::map<std::size_t, StageChannel> received_;
  std::vector<OperationPtr> operations_;
};

template <class... Kinds>
bool is_one_of(const Operation& operation) {
  return ((dynamic_cast<const Kinds*>(&operation) != nullptr) || ...);
}

/// Which operations may be late, that is, run in the next step: those that depend on something
/// received from a later stage, and on which nothing that is sent depends.
std::vector<bool> find_late(const std::vector<OperationPtr>& operations, std::int64_t delay) {
  const auto before = dependencies(operations);
  std::vector<bool> leads_to_sending(operations.size(), false);
  for (std::size_t i = operations.size(); i-- > 0;) {
    const Operation& operation = *operations[i];
    // With a delay, the receiver waits for parameters in a later step, so they may be sent late.
    const auto* passes = dynamic_cast<const ChannelOperation*>(&operation);
    const bool sends = passes != nullptr && passes->sends() &&
                       (delay == 0 || !is_one_of<SendParameters>(operation));
    if (!sends && !leads_to_sending[i]) continue;
    leads_to_sending[i] = true;
    for (const auto earlier : before[i]) leads_to_sending[earlier] = true;
  }
  std::vector<bool> late(operations.size(), false);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    const bool begins = is_one_of<ReceiveCotangent, FollowReceived>(*operations[i]);
    const bool goes_on = std::any_of(before[i].begin(), before[i].end(),
                                     [&](std::size_t earlier) { return late[earlier]; });
    late[i] = !leads_to_sending[i] && (begins || goes_on);
  }
  return late;
}

/// Whether a resource persists from step to step instead of belonging to one pass.
bool outlives_pass(const Resource& resource) {
  switch (resource.kind) {
    case Resource::Kind::module_parameters:
    case Resource::Kind::module_gradients:
    case Resource::Kind::net_parameters:
    case Resource::Kind::net_gradients:
      return true;
    default:
      return false;
  }
}

bool share_one(const std::vector<Resource>& left, const std::vector<Resource>& right) {
  return std::any_of(left.begin(), left.end(), [&](const Resource& resource) {
    return outlives_pass(resource) &&
           std::find(right.begin(), right.end(), resource) != right.end();
  });
}

bool conflict(const Access& left, const Access& right) {
  return share_one(left.writes, right.writes) || share_one(left.writes, right.reads) ||
         share_one(left.reads, right.writes);
}

/// Merges the previous step's late operations into a step's own, each as late as conflicts allow.
StageSchedule merge_late(const std::vector<OperationPtr>& operations,
                         const std::vector<bool>& late) {
  const auto before = dependencies(operations);
  const std::size_t count = operations.size();
  // The next step's operation that each late operation has to precede; `count`: none.
  std::vector<std::size_t> limit(count, count);
  for (std::size_t i = count; i-- > 0;) {
    if (!late[i]) continue;
    const Access access = operations[i]->access();
    for (std::size_t next = 0; next < limit[i]; ++next) {
      if (!late[next] && conflict(access, operations[next]->access())) limit[i] = next;
    }
    for (const auto earlier : before[i]) {
      if (late[earlier]) limit[earlier] = std::min(limit[earlier], limit[i]);
    }
  }
  StageSchedule result;
  const auto append = [&](std::size_t i) {
    result.operations.push_back(operations[i]);
    result.late.push_back(late[i]);
  };
  for (std::size_t next = 0; next <= count; ++next) {
    for (std::size_t i = 0; i < count; ++i) {
      if (late[i] && limit[i] == next) append(i);
    }
    if (next < count && !late[next]) append(next);
  }
  return result;
}

}  // namespace

std::vector<std::size_t> stages_of_nets(const Schedule& schedule, const Stages& stages,
                                        const std::vector<std::string>& names) {
  std::vector<std::optional<std::size_t>> modules(names.size());
  const auto note = [&](std::size_t net, std::size_t module) {
    const std::size_t first = modules[net].value_or(module);
    modules[net] = first;
    if (stages.of_module(first) == stages.of_module(module)) return;
    throw UserError("net '" + names[net] + "' is used by the modules " + number_of_module(first) +
                    " and " + number_of_module(module) +
                    ", which are on two stages; accepted: a dist.split that keeps them together, "
                    "or dist.stages = 1");
  };
  for (const auto& evaluation : schedule.evaluations) {
    note(evaluation.net, evaluation.module);
    if (evaluation.trunk) note(*evaluation.trunk, evaluation.module);
  }
  std::vector<std::size_t> result;
  for (const auto& module : modules) result.push_back(module ? stages.of_module(*module) : 0);
  return result;
}

StageSchedule make_stage_schedule(const Schedule& schedule, const Stages& stages,
                                  const FollowedModules& followed, std::int64_t delay,
                                  bool overlaps) {
  const auto operations = StageScheduler(schedule, stages, followed, delay).run();
  if (!overlaps) return {operations, std::vector<bool>(operations.size(), false)};
  return merge_late(operations, find_late(operations, delay));
}

}  // namespace mlaan

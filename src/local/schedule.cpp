// The order in which one training step runs a plan: what is computed, kept and freed, and when.
#include "local/operations/backward_module.h"
#include "local/operations/backward_trunk.h"
#include "local/operations/forward_module.h"
#include "local/operations/forward_trunk.h"
#include "local/operations/recompute_module.h"
#include "local/operations/supervise.h"
#include "local/operations/update_part.h"

#include <mlaan/core/error.h>
#include <mlaan/local/schedule.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

namespace mlaan {
namespace {

void add_weight(Evaluation& evaluation, const Supervision& supervision, double progress) {
  const double weight = weight_at(supervision, progress);
  evaluation.weight += weight;
  for (auto& group : evaluation.groups) {
    if (group.start == supervision.first) group.weight += weight;
  }
}

/// The evaluations of a plan in the order in which they run: by module, then as in the plan, except
/// that those of one trunk are adjacent.
std::vector<Evaluation> find_evaluations(const Plan& plan) {
  const auto distinct = nets(plan);
  const auto index_of = [&distinct](const std::shared_ptr<const AuxiliaryNet>& net) {
    return static_cast<std::size_t>(std::find(distinct.begin(), distinct.end(), net) -
                                    distinct.begin());
  };
  std::vector<Evaluation> evaluations;
  for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
    const auto& supervision = plan.supervisions[s];
    if (highest_weight(supervision) == 0) continue;
    const std::size_t net = index_of(supervision.net);
    std::optional<std::size_t> trunk;
    if (supervision.net->trunk()) trunk = index_of(supervision.net->trunk());
    auto found = std::find_if(evaluations.begin(), evaluations.end(), [&](const Evaluation& other) {
      return other.module == supervision.last && other.net == net &&
             other.loss == supervision.loss && other.probability == supervision.probability;
    });
    if (found == evaluations.end()) {
      const auto behind =
          std::find_if(evaluations.rbegin(), evaluations.rend(), [&](const Evaluation& other) {
            return trunk && other.module == supervision.last && other.trunk == trunk;
          });
      found = evaluations.insert(
          behind == evaluations.rend() ? evaluations.end() : behind.base(),
          {supervision.last, net, trunk, supervision.loss, {}, 0, supervision.probability, {}});
    }
    found->supervisions.push_back(s);
    const bool known =
        std::any_of(found->groups.begin(), found->groups.end(),
                    [&](const auto& group) { return group.start == supervision.first; });
    if (!known) found->groups.push_back({supervision.first, 0});
    add_weight(*found, supervision, 0);
  }
  std::stable_sort(
      evaluations.begin(), evaluations.end(),
      [](const Evaluation& left, const Evaluation& right) { return left.module < right.module; });
  return evaluations;
}

bool share_trunk(const Evaluation& left, const Evaluation& right) {
  return left.trunk && left.trunk == right.trunk && left.module == right.module;
}

bool begins_trunk(const std::vector<Evaluation>& evaluations, std::size_t e) {
  return evaluations[e].trunk && (e == 0 || !share_trunk(evaluations[e - 1], evaluations[e]));
}

bool ends_trunk(const std::vector<Evaluation>& evaluations, std::size_t e) {
  return evaluations[e].trunk &&
         (e + 1 == evaluations.size() || !share_trunk(evaluations[e], evaluations[e + 1]));
}

/// For each first module of a window, the last evaluation that adds to its group of cotangents. A
/// trunk's cotangents arrive with its last evaluation.
using Groups = std::map<std::size_t, std::size_t>;

Groups find_groups(const std::vector<Evaluation>& evaluations) {
  Groups groups;
  for (std::size_t e = 0; e < evaluations.size(); ++e) {
    std::size_t arrival = e;
    while (evaluations[e].trunk && !ends_trunk(evaluations, arrival)) ++arrival;
    for (const auto& group : evaluations[e].groups) groups[group.start] = arrival;
  }
  return groups;
}

/// Builds the list of operations, module by module.
class Scheduler {
 public:
  Scheduler(const Plan& plan, const PartFacts& facts, bool fused_update)
      : plan_(plan),
        facts_(facts),
        fused_update_(fused_update),
        recomputed_(plan.partition.size(), false),
        schedule_{find_evaluations(plan), {}},
        groups_(find_groups(schedule_.evaluations)) {}

  Schedule run() {
    for (std::size_t module = 0; module < plan_.partition.size(); ++module) {
      forward(module);
      for (std::size_t e = 0; e < schedule_.evaluations.size(); ++e) {
        if (schedule_.evaluations[e].module == module) evaluate(e);
      }
    }
    if (!fused_update_) {
      for (const auto& update : updates_) append(update);
    }
    return std::move(schedule_);
  }

 private:
  /// Starts of the windows that contain the module.
  std::vector<std::size_t> starts_at(std::size_t module) const {
    std::vector<std::size_t> starts;
    for (const auto& [start, evaluation] : groups_) {
      if (start <= module && module <= schedule_.evaluations[evaluation].module) {
        starts.push_back(start);
      }
    }
    return starts;
  }

  /// The last evaluation that adds to the gradient of the module.
  std::size_t last_evaluation(std::size_t module) const {
    std::size_t last = 0;
    for (const auto start : starts_at(module)) last = std::max(last, groups_.at(start));
    return last;
  }

  bool recomputes(std::size_t module) const {
    return recompute_of_module(plan_, module) == Recompute::module;
  }

  void forward(std::size_t module) {
    const auto starts = starts_at(module);
    const bool travels = !starts.empty() && starts.front() < module;
    const bool needed = travels || (facts_.modules[module] && !starts.empty());
    const Keep keep = !needed              ? Keep::nothing
                      : recomputes(module) ? Keep::input
                                           : Keep::activations;
    append(ForwardModule(module, keep, travels));
  }

  void evaluate(std::size_t e) {
    const auto& evaluations = schedule_.evaluations;
    const Evaluation& now = evaluations[e];
    if (begins_trunk(evaluations, e)) {
      append(ForwardTrunk(now.module, *now.trunk, e, twins_of(*now.trunk)));
    }
    append(Supervise(now.module, e, now.net, now.trunk, twins_of(now.net)));
    update_after_last_use(now.net, e);
    if (ends_trunk(evaluations, e)) {
      append(BackwardTrunk(now.module, *now.trunk, trunk_starts(e), first_reader(e),
                           twins_of(*now.trunk)));
      update_after_last_use(*now.trunk, e);
    }
    send_on_complete(e);
  }

  void update_after_last_use(std::size_t net, std::size_t e) {
    const auto& evaluations = schedule_.evaluations;
    const bool used_later =
        std::any_of(evaluations.begin() + static_cast<std::ptrdiff_t>(e) + 1, evaluations.end(),
                    [net](const auto& later) { return later.net == net || later.trunk == net; });
    if (!used_later && facts_.nets[net]) {
      update(UpdatePart::of_net(first_module_of_net(net), net));
    }
  }

  /// First modules of the windows whose cotangents the trunk of evaluation `last` collects; `last`
  /// is the last evaluation that reads the trunk.
  std::vector<std::size_t> trunk_starts(std::size_t last) const {
    std::set<std::size_t> starts;
    const auto& evaluations = schedule_.evaluations;
    for (std::size_t e = last + 1; e-- > 0 && share_trunk(evaluations[e], evaluations[last]);) {
      for (const auto& group : evaluations[e].groups) starts.insert(group.start);
    }
    return {starts.begin(), starts.end()};
  }

  /// Schedules the backward passes of every group that evaluation `now` completes, and the update
  /// of every module whose gradient it completes.
  void send_on_complete(std::size_t now) {
    std::vector<std::size_t> complete;
    for (const auto& [start, evaluation] : groups_) {
      if (evaluation == now) complete.push_back(start);
    }
    if (complete.empty()) return;
    for (auto module = schedule_.evaluations[now].module + 1; module-- > complete.front();) {
      std::vector<std::size_t> travelling;
      std::copy_if(complete.begin(), complete.end(), std::back_inserter(travelling),
                   [module](std::size_t start) { return start < module; });
      send_on(module, travelling, last_evaluation(module) == now);
    }
  }

  void send_on(std::size_t module, const std::vector<std::size_t>& travelling, bool final) {
    const bool parameters = final && facts_.modules[module];
    if (parameters && travelling.size() == 1 && starts_at(module).size() == 1) {
      backward(module, {travelling.front(), /*parameters=*/true, /*input=*/true, /*last=*/true});
    } else {
      for (const auto start : travelling) {
        const bool last = final && !parameters && start == travelling.back();
        backward(module, {start, /*parameters=*/false, /*input=*/true, last});
      }
      if (parameters) {
        backward(module, {{}, /*parameters=*/true, /*input=*/false, /*last=*/true});
      }
    }
    if (parameters) update(UpdatePart::of_module(module));
  }

  void backward(std::size_t module, const BackwardSettings& settings) {
    if (recomputes(module) && !recomputed_[module]) {
      append(RecomputeModule(module));
      recomputed_[module] = true;
    }
    append(BackwardModule(module, settings));
  }

  void update(const UpdatePart& update) {
    if (fused_update_) {
      append(update);
    } else {
      updates_.push_back(update);
    }
  }

  template <class Kind>
  void append(Kind operation) {
    schedule_.operations.push_back(std::make_shared<const Kind>(std::move(operation)));
  }

  std::vector<std::size_t> twins_of(std::size_t net) const {
    return facts_.twins.empty() ? std::vector<std::size_t>() : facts_.twins[net];
  }

  /// The first evaluation that reads the trunk of evaluation `last`.
  std::size_t first_reader(std::size_t last) const {
    const auto& evaluations = schedule_.evaluations;
    while (last > 0 && share_trunk(evaluations[last - 1], evaluations[last])) --last;
    return last;
  }

  /// The first module whose output the net reads.
  std::size_t first_module_of_net(std::size_t net) const {
    for (const auto& evaluation : schedule_.evaluations) {
      if (evaluation.net == net || evaluation.trunk == net) return evaluation.module;
    }
    return 0;
  }

  const Plan& plan_;
  const PartFacts& facts_;
  bool fused_update_;
  std::vector<bool> recomputed_;
  std::vector<UpdatePart> updates_;
  Schedule schedule_;
  Groups groups_;
};

}  // namespace

Schedule make_schedule(const Plan& plan, const PartFacts& facts, bool fused_update) {
  return Scheduler(plan, facts, fused_update).run();
}

void set_weights(Schedule& schedule, const Plan& plan, double progress) {
  for (auto& evaluation : schedule.evaluations) {
    evaluation.weight = 0;
    for (auto& group : evaluation.groups) group.weight = 0;
    for (const auto s : evaluation.supervisions) {
      add_weight(evaluation, plan.supervisions[s], progress);
    }
  }
}

Schedule in_order(const Schedule& schedule, const std::vector<std::size_t>& order) {
  const auto before = dependencies(schedule.operations);
  std::vector<bool> done(schedule.operations.size(), false);
  Schedule result{schedule.evaluations, {}};
  for (const auto index : order) {
    const auto& operation = schedule.operations.at(index);
    for (const auto earlier : before[index]) {
      if (done[earlier]) continue;
      throw Error("'" + operation->text() + "' cannot run ahead of '" +
                  schedule.operations[earlier]->text() + "', which it depends on");
    }
    done[index] = true;
    result.operations.push_back(operation);
  }
  if (result.operations.size() != schedule.operations.size() ||
      std::find(done.begin(), done.end(), false) != done.end()) {
    throw Error("an order has to name each of the schedule's " +
                std::to_string(schedule.operations.size()) + " operations once");
  }
  return result;
}

}  // namespace mlaan

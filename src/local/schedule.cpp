// The order in which one training step runs a plan: what is computed, kept and freed, and when.
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

/// The evaluations of a plan in the order in which they run: by module, then as in the plan, but
/// those of one trunk together.
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
  Scheduler(const Plan& plan, const Trainable& trainable, bool fused_update)
      : plan_(plan),
        trainable_(trainable),
        fused_update_(fused_update),
        rebuilt_(plan.partition.size(), false),
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
      for (const auto& update : updates_) schedule_.operations.emplace_back(update);
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
    const bool needed = travels || (trainable_.modules[module] && !starts.empty());
    const Keep keep = !needed              ? Keep::nothing
                      : recomputes(module) ? Keep::input
                                           : Keep::activations;
    schedule_.operations.emplace_back(RunModule{module, keep, travels});
  }

  void evaluate(std::size_t e) {
    const auto& evaluations = schedule_.evaluations;
    const Evaluation& now = evaluations[e];
    if (begins_trunk(evaluations, e)) {
      schedule_.operations.emplace_back(RunTrunk{now.module, *now.trunk});
    }
    schedule_.operations.emplace_back(Evaluate{e});
    update_after_last_use(now.net, e);
    if (ends_trunk(evaluations, e)) {
      schedule_.operations.emplace_back(TrunkProduct{now.module, *now.trunk, trunk_starts(e)});
      update_after_last_use(*now.trunk, e);
    }
    backward(e);
  }

  void update_after_last_use(std::size_t net, std::size_t e) {
    const auto& evaluations = schedule_.evaluations;
    const bool used_later =
        std::any_of(evaluations.begin() + static_cast<std::ptrdiff_t>(e) + 1, evaluations.end(),
                    [net](const auto& later) { return later.net == net || later.trunk == net; });
    if (!used_later && trainable_.nets[net]) update({/*of_net=*/true, net});
  }

  /// Starts of the windows whose cotangents meet at the trunk that ends with evaluation `last`.
  std::vector<std::size_t> trunk_starts(std::size_t last) const {
    std::set<std::size_t> starts;
    const auto& evaluations = schedule_.evaluations;
    for (std::size_t e = last + 1; e-- > 0 && share_trunk(evaluations[e], evaluations[last]);) {
      for (const auto& group : evaluations[e].groups) starts.insert(group.start);
    }
    return {starts.begin(), starts.end()};
  }

  /// Sends on every group that evaluation `now` completes, and finishes every module that it was
  /// the last to add to.
  void backward(std::size_t now) {
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
    const bool parameters = final && trainable_.modules[module];
    if (parameters && travelling.size() == 1 && starts_at(module).size() == 1) {
      product({module, /*of_group=*/true, travelling.front(), /*parameters=*/true, /*input=*/true,
               /*last=*/true});
    } else {
      for (const auto start : travelling) {
        const bool last = final && !parameters && start == travelling.back();
        product({module, /*of_group=*/true, start, /*parameters=*/false, /*input=*/true, last});
      }
      if (parameters) {
        product({module, /*of_group=*/false, 0, /*parameters=*/true, /*input=*/false,
                 /*last=*/true});
      }
    }
    if (parameters) update({/*of_net=*/false, module});
  }

  void product(const Product& product) {
    if (recomputes(product.module) && !rebuilt_[product.module]) {
      schedule_.operations.emplace_back(Rebuild{product.module});
      rebuilt_[product.module] = true;
    }
    schedule_.operations.emplace_back(product);
  }

  void update(const Update& update) {
    if (fused_update_) {
      schedule_.operations.emplace_back(update);
    } else {
      updates_.push_back(update);
    }
  }

  const Plan& plan_;
  const Trainable& trainable_;
  bool fused_update_;
  std::vector<bool> rebuilt_;
  std::vector<Update> updates_;
  Schedule schedule_;
  Groups groups_;
};

}  // namespace

Schedule make_schedule(const Plan& plan, const Trainable& trainable, bool fused_update) {
  return Scheduler(plan, trainable, fused_update).run();
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

std::size_t module_of(const Operation& operation, const Schedule& schedule) {
  struct Find {
    const Schedule& schedule;

    std::size_t operator()(const RunModule& run) const { return run.module; }
    std::size_t operator()(const RunTrunk& run) const { return run.module; }
    std::size_t operator()(const Evaluate& evaluate) const {
      return schedule.evaluations.at(evaluate.evaluation).module;
    }
    std::size_t operator()(const TrunkProduct& product) const { return product.module; }
    std::size_t operator()(const Rebuild& rebuild) const { return rebuild.module; }
    std::size_t operator()(const Product& product) const { return product.module; }
    std::size_t operator()(const Update& update) const {
      if (!update.of_net) return update.index;
      for (const auto& evaluation : schedule.evaluations) {
        if (evaluation.net == update.index || evaluation.trunk == update.index) {
          return evaluation.module;
        }
      }
      return 0;
    }
  };
  return std::visit(Find{schedule}, operation);
}

std::string to_string(const Operation& operation, const Schedule& schedule) {
  const auto number = [](std::size_t index) { return std::to_string(index + 1); };
  struct Printer {
    const Schedule& schedule;
    decltype(number)& print;

    std::string operator()(const RunModule& run) const { return "forward " + print(run.module); }
    std::string operator()(const RunTrunk& run) const {
      return "trunk " + print(run.net) + " of " + print(run.module);
    }
    std::string operator()(const TrunkProduct& product) const {
      return "trunk " + print(product.net) + " of " + print(product.module) + " backward";
    }
    std::string operator()(const Evaluate& evaluate) const {
      return "supervise " + print(schedule.evaluations.at(evaluate.evaluation).module) +
             " by net " + print(schedule.evaluations[evaluate.evaluation].net);
    }
    std::string operator()(const Rebuild& rebuild) const {
      return "recompute " + print(rebuild.module);
    }
    std::string operator()(const Product& product) const {
      std::string text = "backward " + print(product.module);
      if (product.of_group) text += " from group " + print(product.start);
      text += product.parameters ? product.input ? ": parameters and input" : ": parameters"
                                 : ": input";
      return text;
    }
    std::string operator()(const Update& update) const {
      return (update.of_net ? "update net " : "update ") + print(update.index);
    }
  };
  return std::visit(Printer{schedule, number}, operation);
}

}  // namespace mlaan

// Splits the modules of a run into stages.
#include <mlaan/core/error.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/stage_split.h>

#include <algorithm>
#include <numeric>
#include <sstream>

namespace mlaan {
namespace {

bool is_by_cost(const std::string& split) {
  return split == "time" || split == "bytes";
}

std::string stage_split_text(const std::vector<std::size_t>& first_modules) {
  std::string text;
  for (std::size_t s = 1; s < first_modules.size(); ++s) {
    text += (s == 1 ? "" : ",") + std::to_string(first_modules[s] + 1);
  }
  return text;
}

std::vector<double> bytes_of_modules(const Backbone& backbone, const Plan& plan,
                                     std::int64_t batch) {
  const CostReport report = cost_report(backbone, plan);
  constexpr double bytes_of_a_parameter = 3 * sizeof(float);  // parameter, gradient and momentum
  const auto bytes = [&](const ForwardCost& cost) {
    return bytes_of_a_parameter * static_cast<double>(cost.parameters) +
           static_cast<double>(cost.activation_bytes) * static_cast<double>(batch);
  };
  std::vector<double> costs;
  for (const auto& module : report.modules) costs.push_back(bytes(module.cost));
  for (const auto& net : report.nets) costs.at(net.module) += bytes(net.cost);
  return costs;
}

/// The cost of ending a stage with each module but the last.
std::vector<double> costs_of_borders(const Plan& plan, const std::vector<double>& costs,
                                     std::size_t stages) {
  constexpr double share = 0.1;  // fraction of a stage's cost
  const double of_stage =
      std::accumulate(costs.begin(), costs.end(), 0.0) / static_cast<double>(stages);
  std::vector<double> borders(costs.size() - 1, 0);
  for (const auto& supervision : plan.supervisions) {
    if (highest_weight(supervision) == 0) continue;
    for (std::size_t j = supervision.first; j < supervision.last; ++j) {
      borders[j] = share * of_stage;
    }
  }
  return borders;
}

}  // namespace

std::vector<std::size_t> parse_stage_split(const std::string& text) {
  std::vector<std::size_t> first_modules{0};
  if (is_by_cost(text)) return first_modules;
  std::istringstream numbers(text);
  for (std::string word; std::getline(numbers, word, ',');) {
    std::size_t end = 0;
    int number = 0;
    try {
      number = std::stoi(word, &end);
    } catch (const std::exception&) {
      end = 0;
    }
    const bool fits = end > 0 && end == word.size() && number >= 2 &&
                      static_cast<std::size_t>(number) > first_modules.back() + 1;
    if (!fits) throw UserError("'" + word + "' cannot begin a stage");
    first_modules.push_back(static_cast<std::size_t>(number) - 1);
  }
  if (first_modules.size() == 1) throw UserError("it names no module");
  return first_modules;
}

std::vector<std::size_t> balanced_stages(const std::vector<double>& costs, std::size_t stages,
                                         const std::vector<double>& border_costs) {
  const std::size_t modules = costs.size();
  const auto cost = [&](std::size_t first, std::size_t last) {
    const double own = std::accumulate(costs.begin() + static_cast<std::ptrdiff_t>(first),
                                       costs.begin() + static_cast<std::ptrdiff_t>(last) + 1, 0.0);
    return own + (last < border_costs.size() ? border_costs[last] : 0);
  };
  // lowest[k][i]: the cost of the most expensive of k + 1 stages made of the first i + 1 modules,
  // for the best split; cut[k][i]: the first module of the last of these stages.
  std::vector<std::vector<double>> lowest(stages, std::vector<double>(modules, 0));
  std::vector<std::vector<std::size_t>> cut(stages, std::vector<std::size_t>(modules, 0));
  for (std::size_t i = 0; i < modules; ++i) lowest[0][i] = cost(0, i);
  for (std::size_t k = 1; k < stages; ++k) {
    for (std::size_t i = k; i < modules; ++i) {
      lowest[k][i] = -1;
      for (std::size_t first = k; first <= i; ++first) {
        const double highest = std::max(lowest[k - 1][first - 1], cost(first, i));
        if (lowest[k][i] >= 0 && highest >= lowest[k][i]) continue;
        lowest[k][i] = highest;
        cut[k][i] = first;
      }
    }
  }
  std::vector<std::size_t> first_modules(stages, 0);
  std::size_t last = modules - 1;
  for (std::size_t k = stages; k-- > 1;) {
    first_modules[k] = cut[k][last];
    last = first_modules[k] - 1;
  }
  return first_modules;
}

std::vector<std::size_t> stages_of_costs(const Plan& plan, const std::vector<double>& costs,
                                         std::size_t stages) {
  if (stages > costs.size()) {
    throw UserError("dist.stages = " + std::to_string(stages) + " are more than the " +
                    std::to_string(costs.size()) + " modules; give a higher --modules");
  }
  return balanced_stages(costs, stages, costs_of_borders(plan, costs, stages));
}

Trial make_trial_of_run(const Settings& settings, const Backbone& backbone,
                        const MethodEntry& method) {
  Trial trial = make_trial(settings, backbone, method);
  const Plan plan = make_plan(settings, backbone, method);
  trial.set_recompute(plan.recompute, plan.recompute_nets);
  return trial;
}

std::vector<double> module_costs(Trial& trial, const std::string& by, std::int64_t batch) {
  if (by == "bytes") return bytes_of_modules(trial.backbone(), trial.plan(), batch);
  std::vector<double> costs(trial.plan().partition.size(), 0);
  const auto& operations = trial.schedule().operations;
  const std::vector<double> seconds = trial.operation_seconds(batch);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    costs[operations[i]->module()] += seconds[i];
  }
  return costs;
}

Settings with_stage_split(const Settings& settings, const DataSource& data,
                          const MethodEntry& method) {
  const auto& dist = settings.get<DistOptions>();
  if (dist.stages == 1 || !is_by_cost(dist.split)) return settings;
  const TrainingPhase first = training_phases(settings, method).front();
  Trial trial = make_trial_of_run(first.settings, make_backbone(settings, data), first.method);
  const auto stages = static_cast<std::size_t>(dist.stages);
  const auto costs = module_costs(trial, dist.split, settings.get<RunOptions>().batch_size);
  return settings.with("dist.split", stage_split_text(stages_of_costs(trial.plan(), costs, stages)),
                       "by " + dist.split);
}

std::vector<std::size_t> first_modules_of_stages(const Settings& settings, std::size_t modules) {
  const auto& dist = settings.get<DistOptions>();
  auto first = parse_stage_split(dist.split);
  if (static_cast<std::int64_t>(first.size()) == dist.stages && first.back() < modules) {
    return first;
  }
  throw UserError("dist.split = \"" + dist.split + "\" does not cut " + std::to_string(modules) +
                  " modules into dist.stages = " + std::to_string(dist.stages) +
                  "; accepted: time, bytes, or the numbers of the modules that all stages but the "
                  "first begin with");
}

}  // namespace mlaan

// Measures what a step of each method of a comparison costs, side by side.
#include <mlaan/core/error.h>
#include <mlaan/local/method.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/compared_methods.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/step_costs.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace mlaan {
namespace {

constexpr std::int64_t timed_steps = 7;
constexpr std::int64_t most_segments = 32;

/// Specs of checkpointing in 2, 4, 8, … segments, up to the number of units.
std::vector<std::string> checkpointing_specs(const Settings& settings, const DataSource& data) {
  const auto units = static_cast<std::int64_t>(make_backbone(settings, data).size());
  std::vector<std::string> specs;
  for (std::int64_t segments = 2; segments <= std::min(units, most_segments); segments *= 2) {
    specs.push_back(checkpointing_spec(segments));
  }
  return specs;
}

const StepCost* find_cost(const std::string& spec, const std::vector<StepCost>& costs) {
  const auto found = std::find_if(costs.begin(), costs.end(),
                                  [&](const StepCost& cost) { return cost.spec == spec; });
  return found == costs.end() ? nullptr : &*found;
}

}  // namespace

std::vector<StepCost> measure_step_costs(const Settings& settings, const DataSource& data,
                                         const std::vector<MethodSpec>& specs,
                                         const std::function<void(const std::string&)>& progress,
                                         const std::function<bool()>& should_stop,
                                         ProcessGroup* group) {
  BenchmarkOptions options;
  options.repeats = timed_steps;
  bool end_to_end = false;
  std::set<std::string> compared;
  for (const auto& spec : specs) {
    options.methods.push_back(spec.text);
    compared.insert(spec.text);
    end_to_end = end_to_end || (spec.method == reference_method() && spec.settings.empty());
  }
  if (end_to_end) {
    for (auto& spec : checkpointing_specs(settings, data)) {
      if (compared.count(spec) == 0) options.methods.push_back(std::move(spec));
    }
  }
  std::vector<StepCost> costs;
  for (const auto& result : run_benchmark(settings, options, progress, should_stop, group)) {
    const bool is_compared = compared.count(result.spec.text) > 0;
    costs.push_back({result.spec.text, result.time_ratio, result.peak_bytes,
                     is_compared || result.spec.text == result.reference ? "" : result.reference});
  }
  return costs;
}

const StepCost& cost_of(const std::string& spec, const std::vector<StepCost>& costs) {
  const StepCost* cost = find_cost(spec, costs);
  if (cost == nullptr) throw Error(spec + " was not measured");
  return *cost;
}

std::vector<MethodSpec> without_costs(const std::vector<MethodSpec>& specs,
                                      const std::vector<StepCost>& costs) {
  std::vector<MethodSpec> unknown;
  for (const auto& spec : specs) {
    if (find_cost(spec.text, costs) == nullptr) unknown.push_back(spec);
  }
  return unknown;
}

void add_costs(std::vector<StepCost>& costs, const std::vector<StepCost>& more) {
  for (const auto& cost : more) {
    if (find_cost(cost.spec, costs) == nullptr) costs.push_back(cost);
  }
}

void give_equal_time(std::vector<ComparedRun>& runs, const std::vector<StepCost>& costs,
                     std::int64_t epochs) {
  const double first = cost_of(runs.at(0).spec.text, costs).time_ratio;
  for (auto& run : runs) {
    const double epochs_that_fit =
        static_cast<double>(epochs) * first / cost_of(run.spec.text, costs).time_ratio;
    // 1e-9 keeps rounding from taking an epoch from the first method.
    run.epochs =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(std::floor(epochs_that_fit + 1e-9)));
  }
}

}  // namespace mlaan

// The phases of a training run: the methods that follow each other, and the steps they begin at.
#include "core/joined.h"

#include <mlaan/core/error.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mlaan {
namespace {

/// Settings that a phase may change: the partition, its method's settings, the execution.
std::vector<std::string> accepted_keys_of_phase(const MethodEntry& method) {
  OptionSet options;
  options.get<ExecutionOptions>();
  method.declare(options);
  std::vector<std::string> keys{"modules", "partition"};
  for (const auto& key : options.keys()) {
    const bool of_whole_run = key == "engine.memory_format" || key == "engine.precision" ||
                              key == "engine.check_precision";
    if (!of_whole_run) keys.push_back(key);
  }
  return keys;
}

Settings settings_of(const MethodPhase& phase, const Settings& run, const std::string& origin) {
  const auto accepted = accepted_keys_of_phase(phase.method);
  for (const auto& [key, value] : phase.settings) {
    if (std::find(accepted.begin(), accepted.end(), key) == accepted.end()) {
      throw UserError(origin + ": '" + key +
                      "' cannot be set for one phase; accepted: " + joined(accepted, ", "));
    }
  }
  return run.with(phase.settings, origin);
}

}  // namespace

std::vector<TrainingPhase> training_phases(const Settings& settings, const MethodEntry& method) {
  std::vector<TrainingPhase> phases;
  if (!method.phases) {
    phases.push_back({"", 0, 1, method, settings, {}});
    return phases;
  }
  const std::vector<MethodPhase> described = method.phases(settings.options());
  check_phases(described, method.name);
  double begin = 0;
  for (const auto& phase : described) {
    const double end = begin + phase.share;
    phases.push_back({phase.name, begin, end, phase.method,
                      settings_of(phase, settings, method.name + ", phase " + phase.name),
                      phase.settings});
    begin = end;
  }
  phases.back().end = 1;
  return phases;
}

std::vector<std::string> execution_settings(const TrainingPhase& phase) {
  std::vector<std::string> assignments;
  for (const auto& [key, value] : phase.own_settings) {
    if (key.compare(0, 7, "engine.") == 0) assignments.push_back(key + "=" + value);
  }
  return assignments;
}

std::string phase_text(const std::string& method, const TrainingPhase& phase) {
  return phase.name.empty() ? method : method + ", phase " + phase.name;
}

std::int64_t end_step(const TrainingPhase& phase, std::int64_t steps) {
  return std::llround(phase.end * static_cast<double>(steps));
}

std::size_t phase_of_step(const std::vector<TrainingPhase>& phases, std::int64_t step,
                          std::int64_t steps) {
  std::size_t phase = 0;
  while (phase + 1 < phases.size() && step >= end_step(phases[phase], steps)) ++phase;
  return phase;
}

std::int64_t steps_for_every_phase(const std::vector<TrainingPhase>& phases) {
  const auto has_all = [&](std::int64_t steps) {
    std::int64_t begin = 0;
    return std::all_of(phases.begin(), phases.end(), [&](const TrainingPhase& phase) {
      const std::int64_t end = end_step(phase, steps);
      return end > std::exchange(begin, end);
    });
  };
  constexpr std::int64_t most = 10000;  // with more steps, a phase still without a step is accepted
  std::int64_t steps = 1;
  while (steps < most && !has_all(steps)) ++steps;
  return steps;
}

double progress_in_phase(const TrainingPhase& phase, std::int64_t step, std::int64_t steps) {
  const double done =
      static_cast<double>(step) / static_cast<double>(std::max<std::int64_t>(1, steps));
  return std::clamp((done - phase.begin) / phase.share(), 0.0, 1.0);
}

}  // namespace mlaan

// The phases of a training run: what it trains by, from which step on.
#pragma once

#include <mlaan/local/method.h>
#include <mlaan/train/settings.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// One phase of a run. A method without phases has one, which is all of the training.
struct TrainingPhase {
  std::string name;  ///< "" where there is only one
  double begin = 0;  ///< as a share of the training, from 0 to 1
  double end = 1;
  MethodEntry method;                    ///< without phases
  Settings settings;                     ///< those of the run, with the phase's own on top
  std::vector<Assignment> own_settings;  ///< those

  double share() const { return end - begin; }
};

/// The phases of a method under the run's settings, at least one.
/// \throws UserError for phases that do not fit together, and for a setting that a phase cannot
///         have: what decides of data, length and rate of the training belongs to the run.
std::vector<TrainingPhase> training_phases(const Settings& settings, const MethodEntry& method);

/// Of the phase's own settings those that say how steps are executed, "engine.recompute=unit".
std::vector<std::string> execution_settings(const TrainingPhase& phase);

/// "mlaan-lean", or of a method with phases "NAME, phase local".
std::string phase_text(const std::string& method, const TrainingPhase& phase);

/// The first of `steps` training steps that is no longer of the phase.
std::int64_t end_step(const TrainingPhase& phase, std::int64_t steps);

/// The phase that step `step`, from 0, of so many is part of. Phases too short for a step have
/// none.
std::size_t phase_of_step(const std::vector<TrainingPhase>& phases, std::int64_t step,
                          std::int64_t steps);

/// The fewest steps of a training in which every phase has one; of phases that would need more than
/// 10,000, so many.
std::int64_t steps_for_every_phase(const std::vector<TrainingPhase>& phases);

/// How much of its phase is done before step `step`, from 0 to 1.
double progress_in_phase(const TrainingPhase& phase, std::int64_t step, std::int64_t steps);

}  // namespace mlaan

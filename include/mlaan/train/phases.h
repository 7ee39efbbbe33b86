// The phases of a training run: the methods that follow each other, and the steps they begin at.
#pragma once

#include <mlaan/local/method.h>
#include <mlaan/train/settings.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// One phase of a run. A method without phases has a single one, the whole training.
struct TrainingPhase {
  std::string name;  ///< "" if there is only one phase
  double begin = 0;  ///< as a share of the training, from 0 to 1
  double end = 1;
  MethodEntry method;                    ///< has no phases itself
  Settings settings;                     ///< the run's, overridden by the phase's own
  std::vector<Assignment> own_settings;  ///< the phase's own alone

  double share() const { return end - begin; }
};

/// The phases of a method under the run's settings, at least one.
/// \throws UserError for phases that do not fit together, and for a setting that a phase cannot
///         have: data, length and learning rate of the training belong to the run.
std::vector<TrainingPhase> training_phases(const Settings& settings, const MethodEntry& method);

/// The phase's own settings that say how steps are executed: "engine.recompute=unit".
std::vector<std::string> execution_settings(const TrainingPhase& phase);

/// A phase's name in messages: "mlaan-lean", or "NAME, phase local" for a method with phases.
std::string phase_text(const std::string& method, const TrainingPhase& phase);

/// The first of `steps` training steps after the phase.
std::int64_t end_step(const TrainingPhase& phase, std::int64_t steps);

/// The index of the phase that step `step`, from 0, of `steps` belongs to. A phase too short for a
/// step has none.
std::size_t phase_of_step(const std::vector<TrainingPhase>& phases, std::int64_t step,
                          std::int64_t steps);

/// The smallest number of training steps with which every phase has at least one; 10,000 if that is
/// not enough.
std::int64_t steps_for_every_phase(const std::vector<TrainingPhase>& phases);

/// The share of its phase that is done before step `step`, from 0 to 1.
double progress_in_phase(const TrainingPhase& phase, std::int64_t step, std::int64_t steps);

}  // namespace mlaan

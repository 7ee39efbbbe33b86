// The engine of a run, which is replaced when the next phase of the training begins.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/observer.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/plan_file.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace mlaan {

/// Holds the run's network and the plans of its phases, and hands the training over from one plan
/// to the next (see hand_over()).
class PhasedEngine {
 public:
  /// Makes the plan of every phase, so that an invalid one is refused before the first step. The
  /// nets of later phases are discarded; they are made again, from the network as it is then, when
  /// their phase begins.
  /// \param settings with all measured values decided, see measured_settings.h.
  /// \param adapt changes the options of every engine that is made, for the given plan.
  PhasedEngine(const Settings& settings, const DataSource& data, const MethodEntry& method,
               std::function<void(EngineOptions&, const Plan&)> adapt = {});

  Engine& engine() { return engine_; }
  const Engine& engine() const { return engine_; }
  const Backbone& backbone() const { return backbone_; }
  std::size_t phase() const { return phase_; }
  std::size_t phase_count() const { return phases_.size(); }

  /// The plan of each phase, as it is at the beginning of the training.
  const std::vector<PhaseDescription>& plans() const { return plans_; }
  /// Parameters of the auxiliary nets, in the phase that has the most.
  std::int64_t auxiliary_parameters() const { return auxiliary_parameters_; }
  /// The most modules that a supervision of any phase spans.
  std::size_t longest_window() const { return longest_window_; }
  /// \param peaks highest bytes of each phase's steps so far.
  std::vector<PhaseReport> reports(const std::vector<std::int64_t>& peaks) const;

  /// Makes a new engine for a phase, for a checkpoint of that phase to be loaded into.
  void restart_in(std::size_t phase);

  /// Whether enter() would begin another phase.
  bool begins_phase(std::int64_t step, std::int64_t steps) const;

  /// Prepares the engine for step `step`, from 0, of `steps`: switches to the step's phase, and
  /// sets the weights of supervisions that change during the phase.
  /// \param before_handover called when the plans of both phases exist and the next engine does
  ///         not.
  /// \return whether a phase has begun.
  bool enter(std::int64_t step, std::int64_t steps, const std::function<void()>& before_handover);

 private:
  void describe(const TrainingPhase& phase, const Plan& plan);
  EngineOptions engine_options(std::size_t phase, const Plan& plan);
  Engine make_engine(std::size_t phase);

  std::function<void(EngineOptions&, const Plan&)> adapt_;
  std::vector<TrainingPhase> phases_;
  Backbone backbone_;
  std::int64_t auxiliary_parameters_ = 0;
  std::size_t longest_window_ = 0;
  std::vector<PhaseDescription> plans_;
  std::size_t phase_ = 0;
  Engine engine_;
};

}  // namespace mlaan

// The engine of a run, whichever phase of its training the run is in.
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

/// Makes the run's network and the plans of its phases, and hands the training over from one plan
/// to the next (see hand_over()).
class PhasedEngine {
 public:
  /// Makes the plan of every phase, so that one that cannot be is refused before the first step.
  /// The nets of later phases are thrown away again: they begin as the network is by then.
  /// \param settings settled, see measured_settings.h.
  /// \param adapt what is changed of the options of every engine that is made, of this plan.
  PhasedEngine(const Settings& settings, const DataSource& data, const MethodEntry& method,
               std::function<void(EngineOptions&, const Plan&)> adapt = {});

  Engine& engine() { return engine_; }
  const Engine& engine() const { return engine_; }
  const Backbone& backbone() const { return backbone_; }
  std::size_t phase() const { return phase_; }
  std::size_t phase_count() const { return phases_.size(); }

  /// Of each phase its plan, as it would be at the beginning of the training.
  const std::vector<PhaseDescription>& plans() const { return plans_; }
  /// Of the phase that has the most.
  std::int64_t auxiliary_parameters() const { return auxiliary_parameters_; }
  std::size_t longest_window() const { return longest_window_; }
  /// \param peaks of each phase's steps so far.
  std::vector<PhaseReport> reports(const std::vector<std::int64_t>& peaks) const;

  /// Makes the engine of a phase anew, for a checkpoint of it to be loaded.
  void restart_in(std::size_t phase);

  /// Whether enter() would begin another phase.
  bool begins_phase(std::int64_t step, std::int64_t steps) const;

  /// Brings the engine to where step `step`, from 0, of so many is: into its phase, to the weights
  /// of its time.
  /// \param before_handover called when the plans of both phases are there and the next one's
  ///        engine is not.
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

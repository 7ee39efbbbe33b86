// A training run: the implementation of Trainer.
#pragma once

#include "train/epoch_meter.h"
#include "train/joint_run.h"
#include "train/peak_meter.h"
#include "train/run_checkpoints.h"
#include "train/run_evaluation.h"
#include "train/stage_reports.h"
#include "train/step_clock.h"
#include "train/training_end.h"

#include <mlaan/train/observer.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phased_engine.h>
#include <mlaan/train/teacher_table.h>
#include <mlaan/train/trainer.h>

#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// Epochs of steps with validation, checkpoints and reports in between. The public functions are
/// those of Trainer.
class TrainingRun {
 public:
  TrainingRun(const Settings& settings, const DataSource& data, std::filesystem::path folder,
              ProcessGroup* group);

  RunReport report() const;

  void resume(const Checkpoint& checkpoint);

  TrainSummary run(const std::function<bool()>& should_stop,
                   const std::function<bool()>& should_save);

  void add_observer(TrainObserver& observer) { observers_.push_back(&observer); }
  Engine& engine() { return phases_.engine(); }

 private:
  // In training_run.cpp: setting up, and the loop over epochs and steps.

  /// Whether this process needs the pictures; it is assumed to where a later phase may need them.
  bool reads_pictures() const;

  const Backbone& backbone() const { return phases_.backbone(); }

  /// Refuses settings that need validation images if there are none.
  void check_is_validated() const;

  void check_has_work_for_all() const;

  /// Calls a function for all observers.
  template <class Call>
  void tell(const Call& call) const {
    for (auto* observer : observers_) call(*observer);
  }

  std::int64_t batches_per_epoch() const;

  std::int64_t steps_of_epochs() const { return run_.epochs * batches_per_epoch(); }

  std::int64_t steps_in_all() const { return end_.steps(steps_of_epochs()); }

  /// The setting that ends the training now; "" if none does.
  std::string reached_end() const;

  /// Progress in batches of the present size. The number of steps is no measure of it, since the
  /// steps before a resume may have had another batch size.
  std::int64_t batches_done() const { return state_.epoch * batches_per_epoch() + state_.batch; }

  /// Hands the engine over to the next phase if the next step begins it.
  void enter_next_step();

  SkipReport skip_report();

  double learning_rate_at(std::int64_t step);

  /// Trains until the end of the epoch or of the training. \return false if it was stopped.
  bool train_epoch();

  /// Trains on a batch, and counts its loss and errors.
  void train_on(const Batch& batch);

  StepResult step(const Batch& batch);

  /// What all processes have agreed to do now.
  Wishes decided();

  Wishes wishes() const;

  /// Tells the engine which fraction of the step's whole batch this process has.
  void take_share(const Batch& batch);

  /// Adds the epoch's sums to the state.
  void read_meter();

  /// Validates, and makes the report of the current epoch. \return nothing if it was stopped.
  std::optional<EpochReport> validate();

  /// Stores the errors of the current epoch in the state.
  void note_errors(const EpochReport& report);

  /// \return false if it was stopped: the epoch is trained and saved, but not validated.
  bool finish_epoch();

  /// Saves and validates the epoch in which the training ends. The checkpoint is one within an
  /// epoch, from which a run with higher limits can be resumed.
  /// \return false if it was stopped.
  bool end_within_epoch();

  void read_peak() { peak_.read_into(state_, phases_.phase_count()); }

  std::optional<WeightAverage> make_average() const;

  // In training_run_checkpoints.cpp.

  void begin_folder() const;

  void save_within_epoch();

  bool save_is_due(const Wishes& agreed) const;

  void save_epoch();

  void save(const std::string& file);

  /// \param more tensors of other stages.
  void write(const std::string& file, std::vector<NamedTensor> more);

  /// Loads the weights of the epoch with the lowest validation error, for testing.
  void load_best(TrainSummary& summary);

  void read_best(TrainSummary& summary);

  // In training_run_reports.cpp.

  /// \param in_any_case whether this step is the last one of the epoch or of the training.
  void report_step(bool in_any_case);

  void report_steps();

  /// Begins a report on this step, to which the other stages add their numbers.
  void begin_report();

  /// Finishes the reports on steps that are at least this many steps back.
  void finish_reports(std::int64_t steps_back);

  /// Reports progress to people between two logged steps.
  void report_progress();

  /// \param state holds the sums of the epoch so far.
  StepReport step_report(const TrainingState& state) const;

  TrainSummary summarise(bool complete);

  std::vector<TrainObserver*> observers_;
  Settings settings_;
  const RunOptions& run_;
  JointRun joint_;
  DataSource data_;
  std::filesystem::path folder_;
  PeakMeter peak_;
  Split split_;
  PhasedEngine phases_;
  std::unique_ptr<Loader> train_loader_;
  RunEvaluation evaluation_;
  std::optional<WeightAverage> average_;
  std::optional<TeacherTable> teacher_;
  EpochMeter meter_;
  RunCheckpoints checkpoints_;
  TrainingEnd end_;
  StepClock clock_;
  TrainingState state_;
  std::function<bool()> should_stop_;
  std::function<bool()> should_save_;
  double learning_rate_ = 0;
  std::deque<JointDecision> decisions_;
  StageReports reports_;
  double share_ = 1;             ///< fraction of the last step's batch that this process had
  bool time_is_over_ = false;    ///< as all processes agreed at the last step
  std::int64_t steps_here_ = 0;  ///< steps in this process
};

}  // namespace mlaan

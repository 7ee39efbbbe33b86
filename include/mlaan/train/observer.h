// What a training run reports to its observers: logs, progress, tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A phase of the training.
struct PhaseReport {
  std::string name;    ///< "" if there is only one phase
  std::string method;  ///< that trains the phase
  double begin = 0;    ///< as a share of the training
  double end = 1;
  std::int64_t modules = 0;
  std::int64_t peak_bytes = 0;  ///< highest of the phase's steps so far
};

/// The costs of one of several processes.
struct RankReport {
  std::string name;  ///< "rank 1 (node03)"
  std::int64_t peak_bytes = 0;
  std::int64_t bytes_per_step = 0;  ///< sent
  double seconds_waited = 0;        ///< for other processes
  std::int64_t first_module = 0;    ///< of its stage, from 1; 0 without stages
  std::int64_t last_module = 0;
};

/// Facts about a run that are known before the first step.
struct RunReport {
  std::vector<PhaseReport> phases;  ///< at least one
  std::string method;
  std::string model;
  std::string dataset;
  std::int64_t modules = 0;  ///< of the first phase
  std::int64_t window = 0;   ///< most modules that a supervision of any phase spans
  std::int64_t batch = 0;    ///< images a step, over all processes
  std::int64_t processes = 1;
  std::vector<std::int64_t> first_modules;  ///< of each stage, from 1; empty without stages
  std::int64_t epochs = 0;
  std::int64_t batches_per_epoch = 0;
  std::int64_t train_images = 0;
  std::int64_t validation_images = 0;
  std::int64_t test_images = 0;
  std::int64_t parameters = 0;  ///< of the backbone
  /// Of the auxiliary nets, twins included; of the phase that has the most.
  std::int64_t auxiliary_parameters = 0;
  std::int64_t steps_done = 0;   ///< above 0 when resumed
  std::int64_t epochs_done = 0;  ///< trained, validated and reported
  std::int64_t epochs_begun = 0;
  std::vector<std::string> class_names;
};

/// The state of a run after some steps.
struct StepReport {
  std::int64_t epoch = 0;  ///< current epoch, from 1
  std::int64_t batch = 0;  ///< batches done in the epoch
  std::int64_t step = 0;   ///< steps done in the whole training
  double learning_rate = 0;
  double loss = 0;   ///< of the head, mean over the epoch so far
  double error = 0;  ///< per cent, over the epoch so far
  double images_per_second = 0;
  double seconds_left = 0;  ///< estimate, until the end of the training
  double data_wait = 0;     ///< share of the epoch's time so far that was spent waiting for batches
  std::vector<double> losses;  ///< of the last step, one for each supervision, in the plan's order
  std::vector<std::string> supervisions;  ///< their names; see supervision_names()
};

/// The results of an epoch.
struct EpochReport {
  std::int64_t epoch = 0;  ///< from 1
  std::int64_t step = 0;
  double learning_rate = 0;
  double train_loss = 0;
  double train_error = 0;               ///< per cent
  double validation_loss = 0;           ///< NaN without validation images
  double validation_error = 0;          ///< per cent; NaN without validation images
  double average_validation_error = 0;  ///< of the moving average of the weights; NaN without one
  double images_per_second = 0;
  double seconds = 0;    ///< of training, since the run's start
  double data_wait = 0;  ///< share of the epoch's time that was spent waiting for batches
  std::int64_t peak_bytes = 0;
};

/// Receives the reports of a training run. Every function does nothing unless overridden.
class TrainObserver {
 public:
  TrainObserver() = default;
  virtual ~TrainObserver() = default;
  TrainObserver(const TrainObserver&) = delete;
  TrainObserver& operator=(const TrainObserver&) = delete;

  virtual void on_start(const RunReport& /*report*/) {}
  /// A phase after the first has begun.
  virtual void on_phase(const PhaseReport& /*phase*/) {}
  virtual void on_steps(const StepReport& /*report*/) {}
  /// Called when a second has passed since the last report, for a step that on_steps() does not
  /// report.
  virtual void on_progress(const StepReport& /*report*/) {}
  virtual void on_epoch(const EpochReport& /*report*/) {}
  /// A damaged picture was skipped; the text names it and says what is wrong.
  virtual void on_skipped(const std::string& /*what*/) {}
  /// A message about the run for its user.
  virtual void on_note(const std::string& /*note*/) {}
  virtual void on_checkpoint(const std::filesystem::path& /*path*/) {}
  virtual void on_end() {}
};

}  // namespace mlaan

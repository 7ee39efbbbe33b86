// The trainer: epochs of steps, validation, checkpoints, and a summary at the end.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/observer.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;
class TrainingRun;

/// What came of a run.
struct TrainSummary {
  RunReport run;
  bool complete = false;  ///< false if it was stopped before its end
  /// What ended the training before its last epoch: a setting, "limit.steps = 200"; "": nothing.
  std::string ended_by;
  std::string reported;  ///< "last" or "best": whose weights were tested
  std::int64_t reported_epoch = 0;
  double test_error = 0;  ///< per cent; NaN while not complete
  double test_loss = 0;
  double validation_error = 0;  ///< per cent, of the reported epoch; NaN without validation images
  /// The same two errors of the moving average of the weights; NaN without one.
  double average_test_error = 0;
  double average_validation_error = 0;
  double train_error = 0;        ///< per cent, of the last epoch, while training
  double seconds = 0;            ///< of training steps
  double images_per_second = 0;  ///< of training steps
  std::int64_t peak_bytes = 0;   ///< highest of all training steps; without data sets and loaders
  measure::BytesByKind peak_by_kind{};  ///< of the epoch that reached it, in this process
  std::vector<RankReport> ranks;        ///< of several processes
};

/// Trains by the settings, and keeps in its folder:
///
///     config.toml                    all settings, and where each came from
///     plan.toml                      what they train by (see plan_file.h)
///     checkpoints/last.safetensors   all that a resume needs, after every period of `save.every`;
///                                    of an epoch's end, before it is validated and after
///     checkpoints/best.safetensors   the same, of the epoch with the lowest validation error
///     checkpoints/epoch-0007.safetensors   of the last `save.keep` epochs
class Trainer {
 public:
  /// \param settings with what is left to be measured measured (see measured_settings.h).
  /// \param folder of the run; made if it is not there.
  /// \param group of the processes that train this network together, each with a Trainer of its
  ///        own; rank 0 alone writes files. Has to outlive it. Null: there is this one alone.
  /// \throws UserError for settings that do not fit one another or the data.
  Trainer(const Settings& settings, const DataSource& data, std::filesystem::path folder,
          ProcessGroup* group = nullptr);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  void add_observer(TrainObserver& observer);

  /// Goes on from a checkpoint instead of beginning.
  /// \throws UserError if it is not of this model, method and partition.
  void resume(const Checkpoint& checkpoint);

  /// Trains until the last epoch, and tests; or until `should_stop` - asked after every step, and
  /// for every batch that is validated or tested on - is true; then it writes a checkpoint, unless
  /// there is one of that step, and returns.
  /// \param should_save asked after every step; where it is true, a checkpoint is written. Of
  ///        several processes, what one of them says holds for all.
  TrainSummary run(const std::function<bool()>& should_stop = {},
                   const std::function<bool()>& should_save = {});

  /// Of the run as it is set up.
  RunReport report() const;
  Engine& engine();

 private:
  std::unique_ptr<TrainingRun> run_;
};

/// Where a run's checkpoint to go on from is.
std::filesystem::path last_checkpoint(const std::filesystem::path& run_folder);

}  // namespace mlaan

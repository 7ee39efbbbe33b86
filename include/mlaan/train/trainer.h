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

/// The results of a run.
struct TrainSummary {
  RunReport run;
  bool complete = false;  ///< false if it was stopped before its end
  /// The setting that ended the training before its last epoch, "limit.steps = 200"; "": none.
  std::string ended_by;
  std::string reported;  ///< "last" or "best": the weights that were tested
  std::int64_t reported_epoch = 0;
  double test_error = 0;  ///< per cent; NaN if not complete
  double test_loss = 0;
  double validation_error = 0;  ///< per cent, of the reported epoch; NaN without validation images
  /// The same two errors of the moving average of the weights; NaN without one.
  double average_test_error = 0;
  double average_validation_error = 0;
  double train_error = 0;        ///< per cent, of the last epoch, measured while training
  double seconds = 0;            ///< of training steps
  double images_per_second = 0;  ///< of training steps
  std::int64_t peak_bytes = 0;   ///< highest of all training steps, without data sets and loaders
  measure::BytesByKind peak_by_kind{};  ///< of the epoch with the highest peak, in this process
  std::vector<RankReport> ranks;        ///< of each of several processes
};

/// Trains by the settings, and writes into its folder:
///
///     config.toml                    all settings, and where each came from
///     plan.toml                      the plan (see plan_file.h)
///     checkpoints/last.safetensors   all that a resume needs, written every `save.every`; at the
///                                    end of an epoch, before and after its validation
///     checkpoints/best.safetensors   the same, of the epoch with the lowest validation error
///     checkpoints/epoch-0007.safetensors   of the last `save.keep` epochs
class Trainer {
 public:
  /// \param settings with all measured values decided (see measured_settings.h).
  /// \param folder of the run; created if it does not exist.
  /// \param group of the processes that train this network together, each with a Trainer of its
  ///         own; rank 0 alone writes files. Must outlive the Trainer. Null: a single process.
  /// \throws UserError for settings that do not fit one another or the data.
  Trainer(const Settings& settings, const DataSource& data, std::filesystem::path folder,
          ProcessGroup* group = nullptr);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  void add_observer(TrainObserver& observer);

  /// Continues from a checkpoint instead of starting anew.
  /// \throws UserError if the checkpoint is not of this model, method and partition.
  void resume(const Checkpoint& checkpoint);

  /// Trains until the last epoch, and tests. If `should_stop` returns true - it is polled after
  /// every step, and for every batch of validation and test - writes a checkpoint, unless there is
  /// one of that step, and returns.
  /// \param should_save polled after every step; true writes a checkpoint. Of several processes, a
  ///         request of one holds for all.
  TrainSummary run(const std::function<bool()>& should_stop = {},
                   const std::function<bool()>& should_save = {});

  /// Facts about the run as it is set up.
  RunReport report() const;
  Engine& engine();

 private:
  std::unique_ptr<TrainingRun> run_;
};

/// Path of the checkpoint that a run resumes from.
std::filesystem::path last_checkpoint(const std::filesystem::path& run_folder);

}  // namespace mlaan

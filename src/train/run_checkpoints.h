// The checkpoints that a run writes: when they are due, and a check for divergence before each.
#pragma once

#include "measure/timing.h"

#include <mlaan/core/quantity.h>
#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/settings.h>

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// Names of files in a run's checkpoint folder.
inline constexpr const char* last_file_name = "last.safetensors";
inline constexpr const char* best_file_name = "best.safetensors";

/// The checkpoints of one run. See Trainer for the files' names.
class RunCheckpoints {
 public:
  RunCheckpoints(const Settings& settings, const DataSource& data,
                 std::filesystem::path run_folder);

  /// Makes the checkpoint folder, and removes files left half-written by a killed process.
  void make_folder() const;

  /// Whether a checkpoint is due after a step within an epoch, if the period is in steps.
  bool is_due_after_step(const TrainingState& state) const;
  /// Whether one is due by time, if the period is in minutes since the last one or begin_epoch().
  bool is_due_by_time() const;
  /// Whether one is due at the end of this epoch, counted from 1.
  bool are_due(std::int64_t epoch) const;
  void begin_epoch();

  /// Keeps some images of the latest batch until the next step: before a checkpoint is written, the
  /// network's logits for them must be finite.
  void keep_some(const torch::Tensor& images);
  void forget_images() { some_images_ = torch::Tensor(); }

  /// Writes a checkpoint, "last.safetensors" or "best.safetensors".
  /// \param more tensors besides the engine's.
  /// \return the file's path.
  /// \throws Error if training has diverged; an existing file is then left as it is.
  std::filesystem::path write(const std::string& file, Engine& engine, const TrainingState& state,
                              const std::vector<NamedTensor>& more);
  /// Notes that this or another process has written a checkpoint of the state's step.
  void note_written(const TrainingState& state);
  /// The name of an epoch's file, "epoch-0007.safetensors"; "" if these files are not kept.
  std::string file_of_epoch(std::int64_t epoch) const;
  /// Removes the epoch file that is outdated once the file of this epoch exists.
  void remove_outdated(std::int64_t epoch) const;

  /// Whether a checkpoint of this step has been written since this process began.
  bool has(std::int64_t step) const { return written_step_ == step; }

  /// \throws Error saying that `what` is not finite, and that the last checkpoint is unchanged.
  [[noreturn]] void fail_as_diverged(const std::string& what, const TrainingState& state) const;

 private:
  void refuse_divergence(Engine& engine, const TrainingState& state);

  Settings settings_;
  const DataSource& data_;
  std::filesystem::path folder_;
  Period period_;
  Clock::time_point last_ = Clock::now();
  torch::Tensor some_images_;
  std::int64_t written_step_ = -1;
  std::int64_t checked_step_ = -1;  ///< step after which the state was found to be finite
};

}  // namespace mlaan

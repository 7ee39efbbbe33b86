// The checkpoints that a run writes: when they are due, and that nothing diverged gets into one.
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

/// Names of files in a run's folder of checkpoints.
inline constexpr const char* last_file_name = "last.safetensors";
inline constexpr const char* best_file_name = "best.safetensors";

/// Of one run, in its folder. Files are called as Trainer says.
class RunCheckpoints {
 public:
  RunCheckpoints(const Settings& settings, const DataSource& data,
                 std::filesystem::path run_folder);

  /// Makes their folder, and removes what a killed process has left half-written.
  void make_folder() const;

  /// Whether a step that is not its epoch's last is to be followed by one, counted in steps, …
  bool is_due_after_step(const TrainingState& state) const;
  /// … or in minutes, from the last checkpoint or from begin_epoch() on.
  bool is_due_by_time() const;
  /// Whether one follows the end of this epoch, from 1.
  bool are_due(std::int64_t epoch) const;
  void begin_epoch();

  /// Keeps a few of the last batch's images, until the next step: what the network makes of them
  /// must be finite before a checkpoint is written.
  void keep_some(const torch::Tensor& images);
  void forget_images() { some_images_ = torch::Tensor(); }

  /// Writes a file of these names: "last.safetensors", "best.safetensors".
  /// \param more tensors beside the engine's.
  /// \return its path. \throws Error where training has diverged; the file stays as it was.
  std::filesystem::path write(const std::string& file, Engine& engine, const TrainingState& state,
                              const std::vector<NamedTensor>& more);
  /// Notes that one of this step has been written, by this process or another.
  void note_written(const TrainingState& state);
  /// Its own file, "epoch-0007.safetensors", where those of epochs are kept; else "".
  std::string file_of_epoch(std::int64_t epoch) const;
  /// Removes the one that is too old once that of this epoch is there.
  void remove_outdated(std::int64_t epoch) const;

  /// Whether one of this step has been written since this process began.
  bool has(std::int64_t step) const { return written_step_ == step; }

  /// \throws Error saying that `what` is not finite, and what is left.
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
  std::int64_t checked_step_ = -1;  ///< after which nothing was found to have diverged
};

}  // namespace mlaan

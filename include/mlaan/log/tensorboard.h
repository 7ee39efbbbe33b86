// TensorBoard event files of a run.
#pragma once

#include <mlaan/train/observer.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// Writes an event file into RUN/tensorboard, with scalars of these names:
///
///     supervision/cascaded 3..4   the loss of each supervision
///     loss/train, loss/validation, error/train, error/validation (per cent)   after each epoch
///     learning_rate, images_per_second, data_wait, peak_bytes
///
/// against the number of steps. A run that resumes from a checkpoint begins a new file; entries of
/// later steps are cut off from the earlier files, so that each step appears once.
class TensorBoardFile final : public TrainObserver {
 public:
  /// \param run_folder of the run.
  explicit TensorBoardFile(const std::filesystem::path& run_folder)
      : folder_(run_folder / "tensorboard") {}

  void on_start(const RunReport& report) override;
  void on_steps(const StepReport& report) override;
  void on_epoch(const EpochReport& report) override;

 private:
  using Scalars = std::vector<std::pair<std::string, double>>;
  void write(std::int64_t step, const Scalars& scalars);
  void write_record(const std::string& event);

  std::filesystem::path folder_;
  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace mlaan

// The logs of a run: one line per epoch in metrics.csv, one line every few steps in steps.jsonl.
#pragma once

#include <mlaan/train/observer.h>

#include <filesystem>
#include <fstream>
#include <vector>

namespace mlaan {

/// Appends to both files in the run's folder. When the run resumes from a checkpoint, lines of
/// later steps are removed first, so that each epoch and step appears once.
///
/// metrics.csv: epoch, step, learning_rate, train_loss, train_error, validation_loss,
/// validation_error (per cent), images_per_second, seconds, peak_bytes, data_wait (share),
/// average_validation_error (of the moving average of the weights; empty without one).
/// steps.jsonl: objects of epoch, batch, step, learning_rate, loss, error, images_per_second and
/// losses; these are the last step's loss of each supervision: {"cascaded 3..4": 1.25, …}.
class MetricsFiles final : public TrainObserver {
 public:
  explicit MetricsFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  void on_start(const RunReport& report) override;
  void on_steps(const StepReport& report) override;
  void on_epoch(const EpochReport& report) override;

 private:
  std::filesystem::path folder_;
  std::ofstream epochs_;
  std::ofstream steps_;
};

}  // namespace mlaan

// Reports on steps when several stages train, each of which knows only a part of the numbers.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/observer.h>
#include <mlaan/train/state.h>

#include <torch/types.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

namespace mlaan {

/// Sums reports over the stages in the background. All stages begin and finish the same reports.
class StageReports {
 public:
  /// Begins a report on a step and starts its all-reduce.
  /// \param counted this stage's sums since the last report.
  /// \param losses of all supervisions in this step; those of other stages are ignored.
  void begin(StepReport report, const TrainingState& counted, std::vector<double> losses,
             const Engine& engine, ProcessGroup& group);

  /// The oldest open report, if it is on this step or an earlier one; waits for the other stages.
  /// \param state the sums of all stages are added to it.
  std::optional<StepReport> finish(std::int64_t step, TrainingState& state);

 private:
  struct Open {
    StepReport report;
    torch::Tensor numbers;  ///< sums of the head's loss, errors and samples, then each loss
    std::unique_ptr<Exchange> exchange;
  };

  std::deque<Open> open_;
};

}  // namespace mlaan

// Reports of steps of which each stage of a training knows a part.
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

/// Puts reports together while training goes on. All stages begin and finish the same ones.
class StageReports {
 public:
  /// Begins to report a step.
  /// \param counted by this stage since the last report. \param losses of the step, all
  ///        supervisions', of which those of other stages do not count.
  void begin(StepReport report, const TrainingState& counted, std::vector<double> losses,
             const Engine& engine, ProcessGroup& group);

  /// The earliest report, if it is of that step or one before; waits for the other stages.
  /// \param state to which all stages' counts are added.
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

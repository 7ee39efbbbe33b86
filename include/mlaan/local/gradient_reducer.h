// The interface for summing gradients over data-parallel processes.
#pragma once

#include <mlaan/local/trained_part.h>

namespace mlaan {

/// Sums gradients over processes (all-reduce). The engine starts a part's all-reduce as soon as its
/// gradient is complete, goes on computing, and updates the part once the all-reduce is done, at
/// the latest at the end of the step. All processes complete their parts in the schedule's order.
class GradientReducer {
 public:
  virtual ~GradientReducer() = default;

  /// Starts the all-reduce of the part's gradients, which must not change before finish().
  virtual void start(const TrainedPart& part) = 0;
  /// Whether finish() would return without waiting.
  virtual bool is_done(const TrainedPart& part) = 0;
  /// Waits for the all-reduce, and leaves the sum over all processes in the parameters' gradients.
  virtual void finish(const TrainedPart& part) = 0;
  /// Abandons what was started and not finished, after the step threw an exception.
  virtual void abandon() = 0;
};

}  // namespace mlaan

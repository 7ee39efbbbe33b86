// Where processes that train on shares of one batch exchange gradients.
#pragma once

#include <mlaan/local/trained_part.h>

namespace mlaan {

/// Sums gradients over processes. The engine starts a part's exchange as soon as its gradient is
/// complete, goes on computing, and updates the part once the exchange is done, at the latest at
/// the end of the step. All processes complete their parts in one order, that of the schedule.
class GradientReducer {
 public:
  virtual ~GradientReducer() = default;

  /// Begins the exchange of the part's gradients, which nobody changes before finish().
  virtual void start(const TrainedPart& part) = 0;
  /// Whether finish() would not wait.
  virtual bool is_done(const TrainedPart& part) = 0;
  /// Waits for the exchange, and leaves the sum over all processes in the parameters' gradients.
  virtual void finish(const TrainedPart& part) = 0;
  /// Gives up what was started and not finished: the step was broken off.
  virtual void abandon() = 0;
};

}  // namespace mlaan

// The time that the steps of an epoch take.
#pragma once

#include "measure/timing.h"

#include <mlaan/train/state.h>

namespace mlaan {

/// A stopwatch for steps, which is restarted after anything else.
class StepClock {
 public:
  void begin_epoch() {
    waited_ = 0;
    in_epoch_ = 0;
    go_on();
  }
  void go_on() { since_ = Clock::now(); }
  /// Adds the elapsed time to the run's. The clock keeps running.
  void read_into(TrainingState& state) {
    const double seconds = seconds_since(since_);
    state.seconds += seconds;
    in_epoch_ += seconds;
    go_on();
  }

  /// The batch that `read` returns; the time it takes is counted as waiting.
  template <class Read>
  auto timed(const Read& read) {
    const auto begin = Clock::now();
    auto batch = read();
    waited_ += seconds_since(begin);
    return batch;
  }
  /// The fraction of the epoch's time that was spent waiting for batches.
  double data_wait() const { return in_epoch_ > 0 ? waited_ / in_epoch_ : 0; }

  void note_report() { last_report_ = Clock::now(); }
  double seconds_since_report() const { return seconds_since(last_report_); }

 private:
  Clock::time_point since_ = Clock::now();
  Clock::time_point last_report_ = Clock::now();
  double waited_ = 0;
  double in_epoch_ = 0;
};

}  // namespace mlaan

// Ends a training before its last epoch: limits and early stopping.
#pragma once

#include "measure/timing.h"

#include <mlaan/train/options.h>
#include <mlaan/train/state.h>

#include <cstdint>
#include <optional>
#include <string>

namespace mlaan {

class TrainingEnd {
 public:
  TrainingEnd(const LimitOptions& limit, const EarlyStoppingOptions& early_stopping);

  /// Starts the clock for limit.time.
  void begin() { begin_ = Clock::now(); }

  /// The number of steps to train, at most that of all epochs.
  std::int64_t steps(std::int64_t of_epochs) const;

  /// Notes the validation error of a finished epoch.
  void note(double validation_error, TrainingState& state) const;

  /// Whether this process has used up limit.time.
  bool is_time_over() const;

  /// The setting that ends the training now, such as "limit.time = 30m"; "" if none does.
  /// \param time_is_over see is_time_over().
  /// \param steps_done steps of batches of the present size, of `steps_of_epochs` in all epochs.
  std::string reached(const TrainingState& state, bool time_is_over, std::int64_t steps_done,
                      std::int64_t steps_of_epochs) const;

 private:
  LimitOptions limit_;
  EarlyStoppingOptions early_stopping_;
  std::optional<double> seconds_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace mlaan

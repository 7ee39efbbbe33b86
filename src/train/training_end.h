// What ends a training before its last epoch.
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

  /// The time that it has runs from here on.
  void begin() { begin_ = Clock::now(); }

  /// Steps that the training takes at most, of so many in all its epochs.
  std::int64_t steps(std::int64_t of_epochs) const;

  /// Notes the validation error of an epoch that is done.
  void note(double validation_error, TrainingState& state) const;

  /// Whether the time that the training may take in this process is over.
  bool is_time_over() const;

  /// The setting that ends the training now, "limit.time = 30m"; "" if none does.
  /// \param time_is_over see is_time_over().
  /// \param steps_done of `steps_of_epochs` in all epochs, in batches of the present size.
  std::string reached(const TrainingState& state, bool time_is_over, std::int64_t steps_done,
                      std::int64_t steps_of_epochs) const;

 private:
  LimitOptions limit_;
  EarlyStoppingOptions early_stopping_;
  std::optional<double> seconds_;
  Clock::time_point begin_ = Clock::now();
};

}  // namespace mlaan

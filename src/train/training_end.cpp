// Ends a training before its last epoch: limits and early stopping.
#include "train/training_end.h"

#include <mlaan/core/quantity.h>

#include <algorithm>
#include <cmath>

namespace mlaan {

TrainingEnd::TrainingEnd(const LimitOptions& limit, const EarlyStoppingOptions& early_stopping)
    : limit_(limit), early_stopping_(early_stopping) {
  if (!limit.time.empty()) seconds_ = parse_duration(limit.time);
}

std::int64_t TrainingEnd::steps(std::int64_t of_epochs) const {
  return limit_.steps > 0 ? std::min(limit_.steps, of_epochs) : of_epochs;
}

void TrainingEnd::note(double validation_error, TrainingState& state) const {
  if (std::isnan(validation_error)) return;
  const bool improved =
      state.improved_epoch == 0 ||
      validation_error < state.improved_validation_error - early_stopping_.min_delta;
  if (!improved) return;
  state.improved_validation_error = validation_error;
  state.improved_epoch = state.epoch;
}

bool TrainingEnd::is_time_over() const {
  return seconds_ && seconds_since(begin_) >= *seconds_;
}

std::string TrainingEnd::reached(const TrainingState& state, bool time_is_over,
                                 std::int64_t steps_done, std::int64_t steps_of_epochs) const {
  if (steps_done >= steps_of_epochs) return "";
  if (steps_done >= steps(steps_of_epochs)) return "limit.steps = " + std::to_string(limit_.steps);
  if (time_is_over) return "limit.time = " + limit_.time;
  const std::int64_t patience = early_stopping_.patience;
  const bool waited_enough = patience > 0 && state.batch == 0 && state.improved_epoch > 0 &&
                             state.epoch - state.improved_epoch >= patience;
  return waited_enough ? "early_stopping.patience = " + std::to_string(patience) : "";
}

}  // namespace mlaan

// Figures computed from the state of a run.
#pragma once

#include "core/undefined_number.h"

#include <mlaan/train/state.h>

namespace mlaan {

// All are NaN if nothing was counted.

/// Mean loss of the images of the epoch so far.
inline double train_loss(const TrainingState& state) {
  return state.samples > 0 ? state.loss_sum / static_cast<double>(state.samples) : undefined_number;
}

/// Per cent of the images of the epoch so far that were misclassified.
inline double train_error(const TrainingState& state) {
  return state.samples > 0
             ? 100 * static_cast<double>(state.errors) / static_cast<double>(state.samples)
             : undefined_number;
}

inline double images_per_second(const TrainingState& state) {
  return state.seconds > 0 ? static_cast<double>(state.images) / state.seconds : 0;
}

/// An error in the state, in per cent, in which −1 stands for none.
inline double percent(double error) {
  return error < 0 ? undefined_number : error;
}

}  // namespace mlaan

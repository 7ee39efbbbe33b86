// What a run's state says of its training so far.
#pragma once

#include "core/undefined_number.h"

#include <mlaan/train/state.h>

namespace mlaan {

// NaN where nothing was counted.

/// Mean loss of the epoch's images so far.
inline double train_loss(const TrainingState& state) {
  return state.samples > 0 ? state.loss_sum / static_cast<double>(state.samples) : undefined_number;
}

/// Per cent of the epoch's images so far that the network was wrong about.
inline double train_error(const TrainingState& state) {
  return state.samples > 0
             ? 100 * static_cast<double>(state.errors) / static_cast<double>(state.samples)
             : undefined_number;
}

inline double images_per_second(const TrainingState& state) {
  return state.seconds > 0 ? static_cast<double>(state.images) / state.seconds : 0;
}

/// An error as the state keeps it, where −1 stands for none.
inline double percent(double error) {
  return error < 0 ? undefined_number : error;
}

}  // namespace mlaan

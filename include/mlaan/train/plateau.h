// Detects, after every epoch, that a training no longer improves: the schedule "plateau".
#pragma once

#include <mlaan/train/options.h>

#include <cstdint>

namespace mlaan {

/// The state that is kept from epoch to epoch.
struct Plateau {
  double lowest = -1;           ///< lowest value so far; −1: none
  std::int64_t bad_epochs = 0;  ///< epochs in a row without progress
  std::int64_t cooldown = 0;    ///< epochs left that are not counted
  std::int64_t count = 0;       ///< number of plateaus so far, each of which lowers the rate
};

/// The state after one more epoch, by the rules of PyTorch's ReduceLROnPlateau: an epoch is bad
/// unless its value is below the lowest so far by more than a share of `threshold`, and more than
/// `patience_epochs` bad epochs in a row are a plateau.
/// \param value validation loss or error of the epoch, 0 or more; NaN counts as bad.
Plateau after_epoch(Plateau before, double value, const ScheduleOptions& schedule);

}  // namespace mlaan

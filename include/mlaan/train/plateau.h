// Whether a training has stopped getting better, as the schedule "plateau" asks after every epoch.
#pragma once

#include <mlaan/train/options.h>

#include <cstdint>

namespace mlaan {

/// What is remembered from epoch to epoch.
struct Plateau {
  double lowest = -1;           ///< value so far; −1: none
  std::int64_t bad_epochs = 0;  ///< in a row, without progress
  std::int64_t cooldown = 0;    ///< epochs left that are not counted
  std::int64_t count = 0;       ///< plateaus so far, each of which lowers the rate
};

/// After one more epoch, by the rules of PyTorch's ReduceLROnPlateau: an epoch is bad unless its
/// value is below the lowest before it by more than a share of `threshold`, and more bad epochs in
/// a row than `patience_epochs` are a plateau.
/// \param value of the validation's loss or error, 0 or more; one that is no number is bad.
Plateau after_epoch(Plateau before, double value, const ScheduleOptions& schedule);

}  // namespace mlaan

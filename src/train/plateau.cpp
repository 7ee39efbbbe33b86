// Detects, after every epoch, that a training no longer improves: the schedule "plateau".
#include <mlaan/train/plateau.h>

namespace mlaan {

Plateau after_epoch(Plateau before, double value, const ScheduleOptions& schedule) {
  Plateau now = before;
  const bool first = before.lowest < 0;
  if (first ? value >= 0 : value < before.lowest * (1 - schedule.threshold)) {
    now.lowest = value;
    now.bad_epochs = 0;
  } else {
    ++now.bad_epochs;
  }
  if (now.cooldown > 0) {
    --now.cooldown;
    now.bad_epochs = 0;
  }
  if (now.bad_epochs > schedule.patience_epochs) {
    ++now.count;
    now.cooldown = schedule.cooldown_epochs;
    now.bad_epochs = 0;
  }
  return now;
}

}  // namespace mlaan

// The learning rate as a function of time.
#include <mlaan/core/error.h>
#include <mlaan/train/learning_rate.h>

#include <c10/util/MathConstants.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace mlaan {
namespace {

/// Half a period of a cosine, from `high` at progress 0 to `low` at progress 1.
double cosine(double high, double low, double progress) {
  return low + 0.5 * (high - low) * (1 + std::cos(c10::pi<double> * progress));
}

/// \param step from 0.
double one_cycle(double step, double steps, double lr, const ScheduleOptions& schedule) {
  const double first = lr / schedule.initial_divisor;
  const double last = first / schedule.final_divisor;
  // The rate peaks in the last step of the rise.
  const double highest_at = schedule.peak * steps - 1;
  const double end = steps - 1;
  if (step < highest_at) return cosine(first, lr, step / highest_at);
  if (end <= highest_at) return lr;
  return cosine(lr, last, (step - highest_at) / (end - highest_at));
}

double after_plateaus(double lr, double lowest, const TrainingTime& time,
                      const ScheduleOptions& schedule) {
  return std::max(lr * std::pow(schedule.factor, static_cast<double>(time.plateaus)), lowest);
}

double warmup_epochs(const ScheduleOptions& schedule, double epochs) {
  if (schedule.warmup_epochs >= 0) return schedule.warmup_epochs;
  return std::min(10.0, epochs / 16);
}

}  // namespace

std::vector<double> parse_milestones(const std::string& text) {
  std::vector<double> milestones;
  std::istringstream words(text);
  for (std::string word; std::getline(words, word, ',');) {
    std::istringstream number(word);
    double share = 0;
    const bool is_share = number >> share && share >= 0 && share <= 1 && (number >> std::ws).eof();
    if (!is_share) throw UserError("'" + word + "' is not a share of the training, from 0 to 1");
    milestones.push_back(share);
  }
  return milestones;
}

double learning_rate(const TrainingTime& time, double lr, const ScheduleOptions& schedule) {
  const bool by_epoch = schedule.type == "epoch";
  const auto steps_per_epoch = static_cast<double>(std::max<std::int64_t>(1, time.steps_per_epoch));
  const double epochs_done = by_epoch ? std::floor(static_cast<double>(time.step) / steps_per_epoch)
                                      : static_cast<double>(time.step) / steps_per_epoch;
  const double epochs = time.epochs;
  if (schedule.type == "onecycle") {
    return one_cycle(static_cast<double>(time.step), epochs * steps_per_epoch, lr, schedule);
  }
  const double lowest = std::min(schedule.min_lr, lr);
  double rate = lr;
  if (schedule.type == "cosine") rate = cosine(lr, lowest, epochs_done / epochs);
  if (schedule.type == "plateau") rate = after_plateaus(lr, lowest, time, schedule);
  if (schedule.type == "steps") {
    for (const double milestone : parse_milestones(schedule.milestones)) {
      if (epochs_done >= milestone * epochs) rate *= schedule.factor;
    }
  }
  if (by_epoch) rate = cosine(lr, lowest, (epochs_done + 1) / std::ceil(epochs));
  const double warmup = warmup_epochs(schedule, time.epochs);
  if (epochs_done < warmup) {
    const double share = epochs_done / warmup;
    rate = share * rate + (1 - share) * std::min(schedule.warmup_lr, lr);
  }
  return rate;
}

}  // namespace mlaan

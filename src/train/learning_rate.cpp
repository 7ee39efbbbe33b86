// The learning rate as a function of time.
#include <mlaan/core/error.h>
#include <mlaan/train/learning_rate.h>

#include <c10/util/MathConstants.h>

#include <algorithm>
#include <cmath>
#include <sstream>

namespace mlaan {
namespace {

double cosine(double lr, double progress) {
  return 0.5 * lr * (1 + std::cos(c10::pi<double> * progress));
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
    if (!is_share) throw UserError("'" + word + "' is no share of the training, from 0 to 1");
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
  double rate = lr;
  if (schedule.type == "cosine") rate = cosine(lr, epochs_done / epochs);
  if (schedule.type == "steps") {
    for (const double milestone : parse_milestones(schedule.milestones)) {
      if (epochs_done >= milestone * epochs) rate *= schedule.factor;
    }
  }
  if (by_epoch) rate = cosine(lr, (epochs_done + 1) / std::ceil(epochs));
  const double warmup = warmup_epochs(schedule, time.epochs);
  if (epochs_done < warmup) {
    const double share = epochs_done / warmup;
    rate = share * rate + (1 - share) * std::min(schedule.warmup_lr, lr);
  }
  return rate;
}

}  // namespace mlaan

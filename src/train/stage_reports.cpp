// Reports on steps when several stages train, each of which knows only a part of the numbers.
#include "train/stage_reports.h"

#include "train/joint_training.h"

#include <utility>

namespace mlaan {

void StageReports::begin(StepReport report, const TrainingState& counted,
                         std::vector<double> losses, const Engine& engine, ProcessGroup& group) {
  std::vector<double> numbers = counts_as_numbers(counted);
  for (std::size_t s = 0; s < losses.size(); ++s) {
    const std::size_t module = engine.plan().supervisions[s].last;
    const bool is_own = engine.stages().of_module(module) == engine.stages().own;
    numbers.push_back(is_own ? losses[s] : 0);
  }
  Open open{std::move(report), torch::tensor(numbers, torch::kFloat64), nullptr};
  open.exchange = group.start_sum(open.numbers, "the sum of losses");
  open_.push_back(std::move(open));
}

std::optional<StepReport> StageReports::finish(std::int64_t step, TrainingState& state) {
  if (open_.empty() || open_.front().report.step > step) return std::nullopt;
  Open open = std::move(open_.front());
  open_.pop_front();
  open.exchange->wait();
  const auto* numbers = open.numbers.data_ptr<double>();
  open.report.losses.assign(add_counts(state, numbers), numbers + open.numbers.numel());
  return std::move(open.report);
}

}  // namespace mlaan

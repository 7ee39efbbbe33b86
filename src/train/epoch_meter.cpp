// Sums the head's loss and errors over an epoch without waiting for the device at every step.
#include "train/epoch_meter.h"

#include <utility>

namespace mlaan {
namespace {

void add_to(torch::Tensor& sum, const torch::Tensor& more) {
  sum = sum.defined() ? sum + more : more;
}

}  // namespace

EpochMeter::EpochMeter(const Engine& engine) {
  const auto& supervisions = engine.plan().supervisions;
  while (head_ < supervisions.size() && (supervisions[head_].net != engine.backbone().head() ||
                                         highest_weight(supervisions[head_]) == 0)) {
    ++head_;
  }
}

void EpochMeter::add(const StepResult& result, const torch::Tensor& labels) {
  losses_ = result.losses;
  if (!result.logits.defined()) return;
  const auto head = static_cast<std::int64_t>(head_);
  const auto count = labels.size(0);
  add_to(loss_sum_, result.losses[head].to(torch::kFloat64) * count);
  const torch::Tensor classes = classes_of(labels.to(result.logits.device()));
  add_to(errors_, result.logits.argmax(1).ne(classes).sum());
  samples_ += count;
}

TrainingState EpochMeter::peek(TrainingState state) const {
  if (samples_ == 0) return state;
  state.loss_sum += loss_sum_.item<double>();
  state.errors += errors_.item<std::int64_t>();
  state.samples += samples_;
  return state;
}

void EpochMeter::read_into(TrainingState& state) {
  if (samples_ == 0) return;
  state = peek(std::move(state));
  loss_sum_ = torch::Tensor();
  errors_ = torch::Tensor();
  samples_ = 0;
}

std::vector<double> EpochMeter::last_losses() const {
  if (!losses_.defined()) return {};
  const torch::Tensor losses = losses_.to(torch::kCPU, torch::kFloat64);
  return {losses.data_ptr<double>(), losses.data_ptr<double>() + losses.numel()};
}

}  // namespace mlaan

// How well a network does on labelled images.
#include "measure/timing.h"

#include <mlaan/train/evaluate.h>

#include <torch/nn/functional/loss.h>

#include <limits>

namespace mlaan {

Score evaluate(const Predictor& predict, Loader& loader) {
  const auto start = Clock::now();
  const torch::NoGradGuard no_grad;
  Score score;
  double loss_sum = 0;
  std::int64_t errors = 0;
  loader.start(0);
  while (auto batch = loader.next()) {
    const torch::Tensor logits = predict(batch->images);
    const torch::Tensor labels = batch->labels.to(logits.device());
    const auto count = labels.size(0);
    loss_sum += torch::nn::functional::cross_entropy(logits, labels).item<double>() *
                static_cast<double>(count);
    errors += logits.argmax(1).ne(labels).sum().item<std::int64_t>();
    score.images += count;
  }
  const auto images = static_cast<double>(score.images);
  const double nothing = std::numeric_limits<double>::quiet_NaN();
  score.loss = score.images > 0 ? loss_sum / images : nothing;
  score.error = score.images > 0 ? 100 * static_cast<double>(errors) / images : nothing;
  score.seconds = seconds_since(start);
  return score;
}

}  // namespace mlaan

// How well a network does on labelled images.
#include <mlaan/train/evaluate.h>

#include <torch/nn/functional/loss.h>

#include <chrono>
#include <limits>

namespace mlaan {

Score evaluate(const Predictor& predict, Loader& loader) {
  using Clock = std::chrono::steady_clock;
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
  score.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return score;
}

}  // namespace mlaan

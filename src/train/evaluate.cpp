// How well a network does on labelled images.
#include "core/undefined_number.h"
#include "measure/timing.h"

#include <mlaan/train/evaluate.h>

#include <torch/nn/functional/loss.h>

#include <algorithm>

namespace mlaan {
namespace {

/// What the network said of each class's images, counted.
class Counts {
 public:
  void add(const torch::Tensor& logits, const torch::Tensor& labels) {
    const std::int64_t classes = logits.size(1);
    if (!confusion_.defined()) {
      confusion_ = torch::zeros({classes, classes}, torch::kInt64);
      outside_top5_ = torch::zeros({classes}, torch::kInt64);
    }
    const torch::Tensor first = logits.argmax(1).cpu();
    const torch::Tensor on_cpu = labels.cpu();
    const torch::Tensor ones = torch::ones_like(on_cpu);
    confusion_.index_put_({on_cpu, first}, ones, /*accumulate=*/true);
    const auto choices = std::get<1>(logits.topk(std::min<std::int64_t>(5, classes), 1)).cpu();
    const auto outside = choices.ne(on_cpu.unsqueeze(1)).all(1).to(torch::kInt64);
    outside_top5_.index_put_({on_cpu}, outside, /*accumulate=*/true);
  }

  void put_into(Score& score) const {
    if (!confusion_.defined()) return;
    const std::int64_t count = confusion_.size(0);
    const auto of_classes = confusion_.sum(1);
    const auto mistakes = confusion_.clone().fill_diagonal_(0);
    const auto errors = mistakes.sum(1);
    const auto favourites = mistakes.argmax(1);
    for (std::int64_t c = 0; c < count; ++c) {
      ClassScore of_class;
      of_class.images = of_classes[c].item<std::int64_t>();
      of_class.error = share(errors[c], of_class.images);
      of_class.error_top5 = share(outside_top5_[c], of_class.images);
      if (errors[c].item<std::int64_t>() > 0) {
        of_class.mistaken_for = favourites[c].item<std::int64_t>();
      }
      score.classes.push_back(of_class);
    }
    score.error = share(errors.sum(), score.images);
    score.error_top5 = share(outside_top5_.sum(), score.images);
  }

 private:
  static double share(const torch::Tensor& part, std::int64_t whole) {
    if (whole == 0) return undefined_number;
    return 100 * part.item<double>() / static_cast<double>(whole);
  }

  torch::Tensor confusion_;     ///< images by class and by first choice
  torch::Tensor outside_top5_;  ///< images by class
};

}  // namespace

Score evaluate(const Predictor& predict, Loader& loader, const std::function<bool()>& should_stop) {
  const auto start = Clock::now();
  const torch::NoGradGuard no_grad;
  Score score;
  score.error = undefined_number;
  score.error_top5 = undefined_number;
  double loss_sum = 0;
  Counts counts;
  loader.start(0);
  while (auto batch = loader.next()) {
    score.stopped = should_stop && should_stop();
    if (score.stopped) break;
    const torch::Tensor logits = predict(batch->images);
    const torch::Tensor labels = batch->labels.to(logits.device());
    const auto count = labels.size(0);
    loss_sum += torch::nn::functional::cross_entropy(logits, labels).item<double>() *
                static_cast<double>(count);
    counts.add(logits, labels);
    score.images += count;
  }
  score.loss = score.images > 0 ? loss_sum / static_cast<double>(score.images) : undefined_number;
  counts.put_into(score);
  score.seconds = seconds_since(start);
  return score;
}

}  // namespace mlaan

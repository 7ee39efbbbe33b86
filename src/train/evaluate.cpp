// Error, loss and confusion matrix of a network on labelled images.
#include "core/undefined_number.h"
#include "measure/timing.h"
#include "train/joint_training.h"

#include <mlaan/dist/process_group.h>
#include <mlaan/train/evaluate.h>

#include <torch/nn/functional/loss.h>

#include <algorithm>
#include <utility>

namespace mlaan {
namespace {

/// Loss sum, confusion matrix and top-5 errors of one output of the network.
class Counts {
 public:
  void add(const torch::Tensor& logits, const torch::Tensor& of_batch) {
    const torch::Tensor labels = of_batch.to(logits.device());
    loss_sum_ += torch::nn::functional::cross_entropy(logits, labels).item<double>() *
                 static_cast<double>(labels.size(0));
    images_ += labels.size(0);
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

  /// Sums the counts over all processes.
  void add_up(ProcessGroup& group, std::int64_t classes) {
    if (!confusion_.defined()) {
      confusion_ = torch::zeros({classes, classes}, torch::kInt64);
      outside_top5_ = torch::zeros({classes}, torch::kInt64);
    }
    const auto loss = torch::tensor({loss_sum_}, torch::kFloat64);
    const auto images = torch::tensor({images_}, torch::kInt64);
    for (const auto& counts : {loss, images, confusion_, outside_top5_}) {
      group.sum(counts, "the sum of an evaluation's counts");
    }
    loss_sum_ = loss.item<double>();
    images_ = images.item<std::int64_t>();
  }

  std::int64_t classes() const { return confusion_.defined() ? confusion_.size(0) : 0; }

  Score score() const {
    Score score;
    score.loss = score.error = score.error_top5 = undefined_number;
    if (!confusion_.defined()) return score;
    score.images = images_;
    score.loss = loss_sum_ / static_cast<double>(images_);
    score.confusion = confusion_;
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
    return score;
  }

 private:
  static double share(const torch::Tensor& part, std::int64_t whole) {
    if (whole == 0) return undefined_number;
    return 100 * part.item<double>() / static_cast<double>(whole);
  }

  double loss_sum_ = 0;
  std::int64_t images_ = 0;
  torch::Tensor confusion_;     ///< images by class and by predicted class
  torch::Tensor outside_top5_;  ///< images by class whose class is not among the five likeliest
};

}  // namespace

MultiPredictor at_test_time(MultiPredictor predict, const std::string& tta) {
  if (tta != "flip") return predict;
  return [predict = std::move(predict)](const torch::Tensor& images) {
    auto outputs = predict(images);
    const auto mirrored = predict(images.flip(-1));
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] = (outputs[i] + mirrored[i]) / 2;
    return outputs;
  };
}

Predictor at_test_time(Predictor predict, const std::string& tta) {
  if (tta != "flip") return predict;
  const auto several = at_test_time(
      [predict = std::move(predict)](const torch::Tensor& images) {
        return std::vector<torch::Tensor>{predict(images)};
      },
      tta);
  return [several](const torch::Tensor& images) { return several(images).front(); };
}

namespace {

using OnBatch = std::function<void(const Batch&, const std::vector<torch::Tensor>& outputs)>;

void count(std::vector<Counts>& counts, const Batch& batch, const MultiPredictor& predict,
           const OnBatch& on_batch) {
  const auto outputs = predict(batch.images);
  counts.resize(outputs.size());
  for (std::size_t i = 0; i < outputs.size(); ++i) counts[i].add(outputs[i], batch.labels);
  if (on_batch) on_batch(batch, outputs);
}

/// Counts all batches. \return whether it was stopped before the last one.
bool count_alone(std::vector<Counts>& counts, const MultiPredictor& predict, Loader& loader,
                 const OnBatch& on_batch, const std::function<bool()>& should_stop) {
  while (auto batch = loader.next()) {
    if (should_stop && should_stop()) return true;
    count(counts, *batch, predict, on_batch);
  }
  return false;
}

/// All processes take the same number of turns, even after they have run out of batches, so that
/// they stop at the same turn and wait for each other no longer than one batch takes.
bool count_jointly(std::vector<Counts>& counts, const MultiPredictor& predict, Loader& loader,
                   const OnBatch& on_batch, const std::function<bool()>& should_stop,
                   ProcessGroup& group) {
  const std::string what = "the evaluation";
  const std::int64_t turns = group.highest(loader.batches_per_epoch(), what);
  bool stopped = false;
  for (std::int64_t turn = 0; turn < turns; ++turn) {
    stopped = any_of_all(should_stop && should_stop(), &group, what);
    if (stopped) break;
    const auto batch = loader.next();
    if (batch) count(counts, *batch, predict, on_batch);
  }
  // A process without images knows neither the number of outputs nor that of classes.
  const auto outputs = group.highest(static_cast<std::int64_t>(counts.size()), what);
  counts.resize(static_cast<std::size_t>(outputs));
  const std::int64_t classes = group.highest(counts.front().classes(), what);
  if (classes == 0) return stopped;
  for (auto& of_output : counts) of_output.add_up(group, classes);
  return stopped;
}

}  // namespace

std::vector<Score> evaluate_outputs(const MultiPredictor& predict, Loader& loader,
                                    const OnBatch& on_batch,
                                    const std::function<bool()>& should_stop, ProcessGroup* group) {
  const auto start = Clock::now();
  const torch::NoGradGuard no_grad;
  std::vector<Counts> counts(1);
  loader.start(0);
  const bool stopped = group == nullptr
                           ? count_alone(counts, predict, loader, on_batch, should_stop)
                           : count_jointly(counts, predict, loader, on_batch, should_stop, *group);
  std::vector<Score> scores;
  for (const auto& of_output : counts) {
    scores.push_back(of_output.score());
    scores.back().seconds = seconds_since(start);
    scores.back().stopped = stopped;
  }
  return scores;
}

Score evaluate(const Predictor& predict, Loader& loader, const std::function<bool()>& should_stop,
               ProcessGroup* group) {
  const auto as_list = [&](const torch::Tensor& images) {
    return std::vector<torch::Tensor>{predict(images)};
  };
  return evaluate_outputs(as_list, loader, {}, should_stop, group).front();
}

}  // namespace mlaan

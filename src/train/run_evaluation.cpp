// Validates and tests a run's network and the average of its weights.
#include "train/run_evaluation.h"

#include "core/undefined_number.h"
#include "train/joint_training.h"

#include <mlaan/train/options.h>

#include <utility>

namespace mlaan {
namespace {

Predictor predictor_of(Engine& engine) {
  return [&engine](const torch::Tensor& images) { return engine.predict(images); };
}

}  // namespace

RunEvaluation::RunEvaluation(const Settings& settings, const DataSource& data,
                             std::vector<std::int64_t> validation_images,
                             std::vector<std::int64_t> test_images, SkipReport on_skipped,
                             ProcessGroup* group)
    : settings_(settings),
      data_(data),
      test_images_(std::move(test_images)),
      on_skipped_(std::move(on_skipped)),
      group_(group),
      validation_count_(static_cast<std::int64_t>(validation_images.size())),
      test_count_(static_cast<std::int64_t>(test_images_.size())),
      validation_loader_(make_plain_loader(settings, data, data.train,
                                           share_of(validation_images, group), on_skipped_)) {}

std::optional<RunScores> RunEvaluation::validate(Engine& engine,
                                                 const std::optional<WeightAverage>& average,
                                                 const std::function<bool()>& should_stop) {
  return score(predictor_of(engine), *validation_loader_, average, should_stop);
}

std::optional<RunScores> RunEvaluation::test(Engine& engine,
                                             const std::optional<WeightAverage>& average,
                                             const std::function<bool()>& should_stop) {
  const auto loader =
      make_plain_loader(settings_, data_, data_.test, share_of(test_images_, group_), on_skipped_);
  const Predictor predict =
      at_test_time(predictor_of(engine), settings_.get<ValidationOptions>().tta);
  return score(predict, *loader, average, should_stop);
}

std::optional<RunScores> RunEvaluation::score(const Predictor& predict, Loader& loader,
                                              const std::optional<WeightAverage>& average,
                                              const std::function<bool()>& should_stop) const {
  RunScores scores;
  scores.weights = evaluate(predict, loader, should_stop, group_);
  if (scores.weights.stopped) return std::nullopt;
  scores.average.error = undefined_number;
  if (!average) return scores;
  const AveragedWeightsScope averaged(*average);
  scores.average = evaluate(predict, loader, should_stop, group_);
  if (scores.average.stopped) return std::nullopt;
  return scores;
}

}  // namespace mlaan

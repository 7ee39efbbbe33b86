// Validates and tests a run's network and the average of its weights.
#pragma once

#include <mlaan/data/loader.h>
#include <mlaan/dist/process_group.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/weight_average.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace mlaan {

/// Scores of the weights and of their average; NaN if no average is kept.
struct RunScores {
  Score weights;
  Score average;
};

/// Evaluates on the images for validation and testing. Each of several processes takes a share.
class RunEvaluation {
 public:
  RunEvaluation(const Settings& settings, const DataSource& data,
                std::vector<std::int64_t> validation_images, std::vector<std::int64_t> test_images,
                SkipReport on_skipped, ProcessGroup* group);

  std::int64_t validation_images() const { return validation_count_; }
  std::int64_t test_images() const { return test_count_; }

  /// \param should_stop is asked before every batch. \return nothing if it asked to stop.
  std::optional<RunScores> validate(Engine& engine, const std::optional<WeightAverage>& average,
                                    const std::function<bool()>& should_stop);
  /// The same on the test images, with test-time augmentation as validation.tta asks.
  std::optional<RunScores> test(Engine& engine, const std::optional<WeightAverage>& average,
                                const std::function<bool()>& should_stop);

 private:
  std::optional<RunScores> score(const Predictor& predict, Loader& loader,
                                 const std::optional<WeightAverage>& average,
                                 const std::function<bool()>& should_stop) const;

  Settings settings_;
  const DataSource& data_;
  std::vector<std::int64_t> test_images_;
  SkipReport on_skipped_;
  ProcessGroup* group_;
  std::int64_t validation_count_;
  std::int64_t test_count_;
  std::unique_ptr<Loader> validation_loader_;
};

}  // namespace mlaan

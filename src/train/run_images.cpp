// The images of a data set that a run trains on, validates on and tests on.
#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <string>

namespace mlaan {
namespace {

std::size_t images_of(std::int64_t batches, const Settings& settings) {
  return static_cast<std::size_t>(batches) * static_cast<std::size_t>(whole_batch(settings));
}

void keep_first(std::vector<std::int64_t>& indices, std::size_t count) {
  if (count < indices.size()) indices.resize(count);
}

}  // namespace

std::int64_t whole_batch(const Settings& settings) {
  const auto& dist = settings.get<DistOptions>();
  // All stages have the same batches.
  return settings.get<RunOptions>().batch_size *
         std::max<std::int64_t>(1, dist.processes / dist.stages);
}

Split split_of_run(const Settings& settings, const DataSource& data) {
  const auto& run = settings.get<RunOptions>();
  const auto& limit = settings.get<LimitOptions>();
  Split split = split_training_set(data.train->size(), settings.get<ValidationOptions>().fraction,
                                   run.train_limit, static_cast<std::uint64_t>(run.seed));
  if (split.train.empty()) throw UserError("validation.fraction leaves no image to train on");
  if (limit.overfit_batches > 0) {
    const std::size_t images = images_of(limit.overfit_batches, settings);
    if (images > split.train.size()) {
      throw UserError("limit.overfit_batches = " + std::to_string(limit.overfit_batches) +
                      " needs " + std::to_string(images) + " images, and there are " +
                      std::to_string(split.train.size()) + " to train on");
    }
    keep_first(split.train, images);
    split.validation = split.train;
  }
  if (limit.validation_batches > 0) {
    keep_first(split.validation, images_of(limit.validation_batches, settings));
  }
  return split;
}

std::vector<std::int64_t> test_images_of_run(const Settings& settings, const DataSource& data) {
  std::vector<std::int64_t> all = all_indices(*data.test);
  const std::int64_t batches = settings.get<LimitOptions>().test_batches;
  const std::size_t count = images_of(batches, settings);
  if (batches == 0 || count >= all.size()) return all;
  std::vector<std::int64_t> spread;
  for (std::size_t i = 0; i < count; ++i) spread.push_back(all[i * all.size() / count]);
  return spread;
}

}  // namespace mlaan

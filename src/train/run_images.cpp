// Which images of its data set a run trains on, validates on and tests on.
#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <string>

namespace mlaan {
namespace {

std::size_t images_of(std::int64_t batches, Config& config) {
  return static_cast<std::size_t>(batches) * static_cast<std::size_t>(whole_batch(config));
}

void keep_first(std::vector<std::int64_t>& indices, std::size_t count) {
  if (count < indices.size()) indices.resize(count);
}

}  // namespace

std::int64_t whole_batch(Config& config) {
  const auto& dist = config.get<DistOptions>();
  // All stages have the same batches.
  return config.get<RunOptions>().batch_size *
         std::max<std::int64_t>(1, dist.processes / dist.stages);
}

Split split_of_run(Config& config, const DataSource& data) {
  const auto& run = config.get<RunOptions>();
  const auto& limit = config.get<LimitOptions>();
  Split split = split_training_set(data.train->size(), config.get<ValidationOptions>().fraction,
                                   run.train_limit, static_cast<std::uint64_t>(run.seed));
  if (split.train.empty()) throw UserError("validation.fraction leaves no image to train on");
  if (limit.overfit_batches > 0) {
    const std::size_t images = images_of(limit.overfit_batches, config);
    if (images > split.train.size()) {
      throw UserError("limit.overfit_batches = " + std::to_string(limit.overfit_batches) +
                      " needs " + std::to_string(images) + " images, and there are " +
                      std::to_string(split.train.size()) + " to train on");
    }
    keep_first(split.train, images);
    split.validation = split.train;
  }
  if (limit.validation_batches > 0) {
    keep_first(split.validation, images_of(limit.validation_batches, config));
  }
  return split;
}

std::vector<std::int64_t> test_images_of_run(Config& config, const DataSource& data) {
  std::vector<std::int64_t> all = all_indices(*data.test);
  const std::int64_t batches = config.get<LimitOptions>().test_batches;
  const std::size_t count = images_of(batches, config);
  if (batches == 0 || count >= all.size()) return all;
  std::vector<std::int64_t> spread;
  for (std::size_t i = 0; i < count; ++i) spread.push_back(all[i * all.size() / count]);
  return spread;
}

}  // namespace mlaan

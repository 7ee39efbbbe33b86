// Checks whether a run can be resumed with the present settings and data.
#include "train/resumed_settings.h"

#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/options.h>
#include <mlaan/train/trained_network.h>

#include <optional>
#include <string>
#include <vector>

namespace mlaan {
namespace {

/// The first of `keys` whose value differs from the checkpoint's: "seed = 1, where it was 0".
std::optional<std::string> other_setting(const Checkpoint& checkpoint, const Settings& settings,
                                         const std::vector<std::string>& keys) {
  const Settings recorded = recorded_settings(checkpoint);
  for (const auto& key : keys) {
    const OptionValue before = recorded.value(key);
    const OptionValue now = settings.value(key);
    if (before != now) return key + " = " + to_toml(now) + ", where it was " + to_toml(before);
  }
  return std::nullopt;
}

/// The same for the number of images per step, summed over all processes.
std::optional<std::string> other_batch(const Checkpoint& checkpoint, const Settings& settings) {
  const Settings recorded = recorded_settings(checkpoint);
  const std::int64_t before = whole_batch(recorded);
  const std::int64_t now = whole_batch(settings);
  if (before == now) return std::nullopt;
  const auto said = [](const Settings& run, std::int64_t images) {
    const auto& dist = run.get<DistOptions>();
    const auto processes = dist.processes / dist.stages;
    return std::to_string(run.get<RunOptions>().batch_size) +
           (processes <= 1 ? ""
                           : " in each of " + std::to_string(processes) + " processes, " +
                                 std::to_string(images) + " together");
  };
  return "batch_size = " + said(settings, now) + ", where it was " + said(recorded, before);
}

/// The settings that decide which images are for training, validation and testing.
std::vector<std::string> keys_of_split(const Settings& settings) {
  std::vector<std::string> keys{"seed", "validation.fraction", "dataset"};
  for (const auto& key : settings.options().keys()) {
    const bool is_of_data = key == "folder.split_seed" || key == "folder.test_fraction" ||
                            key == "svhn.extra" || key == "procedural.train_size";
    if (is_of_data) keys.push_back(key);
  }
  return keys;
}

}  // namespace

void check_goes_on(const Checkpoint& checkpoint, const Settings& settings, const DataSource& data) {
  check_data(checkpoint, data);
  const TrainingState& state = checkpoint.info.state;
  if (state.batch == 0) return;
  auto other = other_batch(checkpoint, settings);
  if (!other) {
    other = other_setting(
        checkpoint, settings,
        {"limit.train_batches", "train_limit", "seed", "validation.fraction", "dataset"});
  }
  if (!other) return;
  throw UserError(checkpoint.path.string() + " is in the middle of epoch " +
                  std::to_string(state.epoch + 1) + ", after batch " + std::to_string(state.batch) +
                  ", and cannot go on with " + *other +
                  ": some of the epoch's images would be left out and others seen twice; go on "
                  "unchanged, with --epochs " +
                  std::to_string(state.epoch + 1) + " to the epoch's end, and change it then");
}

void check_same_split(const Checkpoint& checkpoint, const Settings& settings,
                      const DataSource& data) {
  const std::int64_t before = checkpoint.info.train_images;
  std::optional<std::string> other = other_setting(checkpoint, settings, keys_of_split(settings));
  if (!other && before > 0 && data.train->size() != before) {
    other = std::to_string(data.train->size()) + " training images, where there were " +
            std::to_string(before);
  }
  if (!other) return;
  throw UserError(checkpoint.path.string() + " cannot go on with " + *other +
                  ": it would be validated or tested on images that it was trained on; if that is "
                  "what you want, give --allow-other-split");
}

}  // namespace mlaan

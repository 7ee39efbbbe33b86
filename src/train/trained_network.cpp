// The network of a finished run, read from its checkpoint.
#include <mlaan/core/error.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>
#include <mlaan/train/weight_average.h>

#include <algorithm>

namespace mlaan {

namespace fs = std::filesystem;

fs::path reported_checkpoint(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  Config config;
  if (fs::exists(path / "config.toml")) config.apply_file(path / "config.toml");
  return last_checkpoint(path).parent_path() /
         (config.get<ValidationOptions>().report + ".safetensors");
}

void check_data(const Checkpoint& checkpoint, const DataSource& data) {
  const CheckpointInfo& info = checkpoint.info;
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  if (classes == info.classes && data.image_shape == info.image_shape) return;
  throw UserError(checkpoint.path.string() + " was trained on images of " +
                  to_string(info.image_shape) + " in " + std::to_string(info.classes) +
                  " classes; " + data.name + " has " + to_string(data.image_shape) + " in " +
                  std::to_string(classes));
}

TrainingPhase phase_of(const Checkpoint& checkpoint, Config& config) {
  auto phases = training_phases(config, method_named(config.get<RunOptions>().method));
  const auto number = static_cast<std::size_t>(checkpoint.info.state.phase);
  return std::move(phases.at(std::min(number, phases.size() - 1)));
}

Backbone read_backbone(const Checkpoint& checkpoint, Config& config) {
  Backbone backbone = make_backbone(config, checkpoint.info.classes, checkpoint.info.image_shape);
  const bool average = config.get<WeightAverageOptions>().use;
  load(checkpoint, backbone, average ? weight_average_prefix : "");
  backbone.train(false);
  return backbone;
}

}  // namespace mlaan

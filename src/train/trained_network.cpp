// The network of a finished run, read from its checkpoint.
#include "data/class_names.h"
#include "data/relabelled.h"
#include "train/own_plan.h"

#include <mlaan/core/error.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>
#include <mlaan/train/weight_average.h>

#include <algorithm>
#include <set>
#include <utility>

namespace mlaan {

namespace fs = std::filesystem;

namespace {

/// Whether class names are only numbers in the checkpoint or in the data, as they are for a
/// published data set whose file of class names is missing.
bool are_without_names(const Checkpoint& checkpoint, const DataSource& data) {
  const Settings recorded = recorded_settings(checkpoint);
  if (data.name == "folder" || recorded.get<RunOptions>().dataset != data.name) return false;
  const auto numbers = numbered_classes(static_cast<std::int64_t>(data.classes.size()));
  return data.classes == numbers || checkpoint.info.class_names == numbers;
}

/// \throws UserError naming the classes that only one of the two has.
void check_same_names(const Checkpoint& checkpoint, const DataSource& data) {
  const auto& names = checkpoint.info.class_names;
  const std::set<std::string> known(names.begin(), names.end());
  const std::set<std::string> given(data.classes.begin(), data.classes.end());
  if (known == given && known.size() == names.size()) return;
  const auto lacking = [](const std::set<std::string>& from, const std::set<std::string>& in) {
    for (const auto& name : from) {
      if (in.count(name) == 0) return "'" + name + "'";
    }
    return std::string("one of them twice");
  };
  throw UserError("the classes of " + data.name + " are not those that " +
                  checkpoint.path.string() + " was trained on: the data has " +
                  lacking(given, known) + ", the network " + lacking(known, given) +
                  "; classes are matched by name");
}

}  // namespace

fs::path reported_checkpoint(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  const fs::path record = path / "config.toml";
  const Settings settings = fs::exists(record) ? read_settings(record) : Settings();
  return last_checkpoint(path).parent_path() /
         (settings.get<ValidationOptions>().report + ".safetensors");
}

void check_data(const Checkpoint& checkpoint, const DataSource& data) {
  const CheckpointInfo& info = checkpoint.info;
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  if (classes != info.classes || data.image_shape != info.image_shape) {
    throw UserError(checkpoint.path.string() + " was trained on images of " +
                    to_string(info.image_shape) + " in " + std::to_string(info.classes) +
                    " classes; " + data.name + " has " + to_string(data.image_shape) + " in " +
                    std::to_string(classes));
  }
  for (std::size_t i = 0; i < data.classes.size(); ++i) {
    if (data.classes[i] == info.class_names[i]) continue;
    throw UserError(checkpoint.path.string() + " has other classes than " + data.name +
                    " has now: number " + std::to_string(i) + " is '" + info.class_names[i] +
                    "', not '" + data.classes[i] + "'");
  }
}

DataSource with_classes_of(const Checkpoint& checkpoint, DataSource data) {
  const auto& wanted = checkpoint.info.class_names;
  if (data.classes == wanted || data.classes.size() != wanted.size()) {
    check_data(checkpoint, data);
    return data;
  }
  if (are_without_names(checkpoint, data)) {
    data.classes = wanted;
  } else {
    check_same_names(checkpoint, data);
    data = with_class_order(std::move(data), wanted);
  }
  check_data(checkpoint, data);
  return data;
}

void refuse_unnamed_script(const Checkpoint& checkpoint, const Settings& settings) {
  const std::string& model = settings.get<RunOptions>().model;
  if (!is_script_file(model) || settings.origin("model") != checkpoint.path.string()) return;
  throw UserError(checkpoint.path.string() + " was made with the TorchScript file " + model +
                  ", a program that runs when it is opened; if you trust it, name it yourself: "
                  "--model " +
                  model);
}

std::vector<TrainingPhase> phases_of(const Checkpoint& checkpoint, const Settings& settings) {
  return training_phases(settings, method_named(method_of_run(settings, checkpoint)));
}

TrainingPhase phase_of(const Checkpoint& checkpoint, const Settings& settings) {
  auto phases = phases_of(checkpoint, settings);
  const auto number = static_cast<std::size_t>(checkpoint.info.state.phase);
  return std::move(phases.at(std::min(number, phases.size() - 1)));
}

Backbone read_backbone(const Checkpoint& checkpoint, const Settings& settings) {
  refuse_unnamed_script(checkpoint, settings);
  Backbone backbone = make_backbone(settings, checkpoint.info.classes, checkpoint.info.image_shape);
  const bool average = settings.get<WeightAverageOptions>().use;
  load(checkpoint, backbone, average ? weight_average_prefix : "");
  backbone.train(false);
  return backbone;
}

}  // namespace mlaan

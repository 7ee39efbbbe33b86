// Checkpoints: the state of a training run as a safetensors file.
#include "io/json_text.h"

#include <mlaan/local/optimizer_state.h>
#include <mlaan/train/checkpoint.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <unordered_map>

namespace mlaan {
namespace {

constexpr const char* format_key = "mlaan.format";
constexpr const char* format_name = "checkpoint 1";

using TensorMap = std::unordered_map<std::string, torch::Tensor>;

const std::string& metadata(const TensorFile& file, const std::string& key,
                            const std::filesystem::path& path) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw UserError(path.string() + " is not a checkpoint of mlaan: its metadata have no '" + key +
                    "'");
  }
  return found->second;
}

/// Parses a text that is a positive whole number and nothing else.
std::int64_t whole_number(const std::string& text) {
  const auto json = nlohmann::json::parse(text);
  if (!json.is_number_unsigned() || json == 0U) throw UserError("'" + text + "' is not a number");
  return json.get<std::int64_t>();
}

Shape shape_from_json(const std::string& text) {
  Shape shape;
  for (const auto& size : parse_json(text)) shape.push_back(whole_number(size.dump()));
  return shape;
}

/// How a picture is turned into an input of the network, as JSON.
std::string input_to_json(const CheckpointInfo& info) {
  const nlohmann::ordered_json json{{"mean", info.normalisation.mean},
                                    {"deviation", info.normalisation.deviation},
                                    {"share", info.framing_share}};
  return json_text(json);
}

void input_from_json(const std::string& text, CheckpointInfo& info) {
  const auto json = parse_json(text);
  json.at("mean").get_to(info.normalisation.mean);
  json.at("deviation").get_to(info.normalisation.deviation);
  json.at("share").get_to(info.framing_share);
  if (info.normalisation.deviation.size() != info.normalisation.mean.size()) {
    throw UserError("its input has different numbers of means and deviations");
  }
}

/// The tensor of the checkpoint for each of `wanted`. All are checked before any is copied.
std::vector<torch::Tensor> matching(const Checkpoint& checkpoint, const TensorMap& tensors,
                                    const std::vector<NamedTensor>& wanted) {
  std::vector<torch::Tensor> sources;
  for (const auto& named : wanted) {
    const auto found = tensors.find(named.name);
    const std::string other =
        checkpoint.path.string() + " is a checkpoint of another architecture: ";
    if (found == tensors.end()) {
      throw UserError(other + "it has no '" + named.name + "'; it was written for the model " +
                      checkpoint.info.model);
    }
    if (found->second.sizes() != named.tensor.sizes()) {
      throw UserError(other + "its '" + named.name + "' has the shape " +
                      to_string(found->second.sizes().vec()) + ", not " +
                      to_string(named.tensor.sizes().vec()));
    }
    if (found->second.scalar_type() != named.tensor.scalar_type()) {
      throw UserError(other + "its '" + named.name + "' has numbers of another type");
    }
    sources.push_back(found->second);
  }
  return sources;
}

bool has_prefix(const std::string& text, const std::string& begin) {
  return text.compare(0, begin.size(), begin) == 0;
}

bool has_suffix(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

/// \throws UserError for a step counter or a loss scale that is not a single number.
void check_single_numbers(const Checkpoint& checkpoint) {
  for (const auto& named : checkpoint.file.tensors) {
    const bool is_single =
        has_prefix(named.name, "loss_scale.") ||
        (has_prefix(named.name, "optimizer.") && has_suffix(named.name, ".step"));
    if (!is_single || named.tensor.numel() == 1) continue;
    throw UserError(checkpoint.path.string() + ": its '" + named.name + "' is not a single number");
  }
}

TensorMap map_of(const TensorFile& file) {
  TensorMap tensors;
  for (const auto& named : file.tensors) tensors.emplace(named.name, named.tensor);
  return tensors;
}

void copy(const std::vector<torch::Tensor>& sources, const std::vector<NamedTensor>& targets) {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    torch::Tensor target = targets[i].tensor;
    target.copy_(sources[i]);
  }
}

/// Whether a tensor belongs to the training's state and not to the networks' weights.
bool is_of_training(const std::string& name) {
  static const std::vector<std::string> prefixes{"optimizer.", "loss_scale.", "model_ema.",
                                                 "teacher.", "twins."};
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
    return name.compare(0, prefix.size(), prefix) == 0;
  });
}

std::vector<NamedTensor> both(std::vector<NamedTensor> first, std::vector<NamedTensor> second) {
  for (auto& named : second) first.push_back(std::move(named));
  return first;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Engine& engine,
                      const CheckpointInfo& info, const std::vector<NamedTensor>& more) {
  TensorFile file;
  file.metadata = {{format_key, format_name},
                   {"config", info.config},
                   {"model", info.model},
                   {"classes", std::to_string(info.classes)},
                   {"image_shape", json_text(info.image_shape)},
                   {"class_names", json_text(info.class_names)},
                   {"input", input_to_json(info)},
                   {"state", info.state.to_json()}};
  if (info.train_images > 0) file.metadata["train_images"] = std::to_string(info.train_images);
  file.tensors = both(both(engine.named_parameters(), engine.named_buffers()),
                      both(optimizer_state(engine.parts()), engine.loss_scale_state()));
  file.tensors = both(both(std::move(file.tensors), engine.twin_state()), more);
  write_safetensors(path, file);
}

bool is_checkpoint(const TensorFile& file) {
  return file.metadata.count(format_key) > 0;
}

std::vector<std::string> class_names_of(const TensorFile& file) {
  const auto found = file.metadata.find("class_names");
  if (!is_checkpoint(file) || found == file.metadata.end()) return {};
  try {
    return parse_json(found->second).get<std::vector<std::string>>();
  } catch (const nlohmann::json::exception&) {
    return {};
  }
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  Checkpoint checkpoint{path, {}, read_safetensors(path)};
  const TensorFile& file = checkpoint.file;
  const std::string format = metadata(file, format_key, path);
  if (format != format_name) {
    throw UserError(path.string() + " has the format '" + format + "'; this version reads '" +
                    format_name + "'");
  }
  CheckpointInfo& info = checkpoint.info;
  info.config = metadata(file, "config", path);
  info.model = metadata(file, "model", path);
  try {
    info.classes = whole_number(metadata(file, "classes", path));
    info.image_shape = shape_from_json(metadata(file, "image_shape", path));
    info.class_names =
        parse_json(metadata(file, "class_names", path)).get<std::vector<std::string>>();
    if (file.metadata.count("input") > 0) input_from_json(file.metadata.at("input"), info);
    if (file.metadata.count("train_images") > 0) {
      info.train_images = whole_number(file.metadata.at("train_images"));
    }
    info.state = TrainingState::from_json(metadata(file, "state", path));
    if (info.class_names.size() != static_cast<std::size_t>(info.classes)) {
      throw UserError("it names " + std::to_string(info.class_names.size()) + " of " +
                      std::to_string(info.classes) + " classes");
    }
  } catch (const UserError& error) {
    throw UserError(path.string() + ": " + error.what());
  } catch (const std::exception& error) {
    throw UserError(path.string() + ": its metadata cannot be read: " + error.what());
  }
  return checkpoint;
}

Settings recorded_settings(const Checkpoint& checkpoint) {
  return read_settings(checkpoint.info.config, checkpoint.path.string());
}

void load(const Checkpoint& checkpoint, Engine& engine) {
  const TensorMap tensors = map_of(checkpoint.file);
  const auto targets = both(engine.named_parameters(), engine.named_buffers());
  const auto sources = matching(checkpoint, tensors, targets);
  std::size_t of_network = 0;
  for (const auto& named : checkpoint.file.tensors) {
    if (!is_of_training(named.name)) ++of_network;
  }
  if (of_network != targets.size()) {
    throw UserError(checkpoint.path.string() + " is a checkpoint of another architecture: it has " +
                    std::to_string(of_network) + " tensors of networks, where this run has " +
                    std::to_string(targets.size()) +
                    "; method, modules and model must be those it was written with");
  }
  check_single_numbers(checkpoint);
  set_optimizer_state(engine.parts(), checkpoint.file.tensors);
  engine.set_loss_scale_state(checkpoint.file.tensors);
  engine.set_twin_state(checkpoint.file.tensors);
  copy(sources, targets);
  engine.set_steps_done(checkpoint.info.state.step);
}

void load(const Checkpoint& checkpoint, const Backbone& backbone, const std::string& prefix) {
  const TensorMap tensors = map_of(checkpoint.file);
  auto targets = both(backbone.named_parameters(), backbone.named_buffers());
  for (auto& target : targets) target.name = prefix + target.name;
  copy(matching(checkpoint, tensors, targets), targets);
}

}  // namespace mlaan

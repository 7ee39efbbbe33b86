// Checkpoints: a training run at one moment, as a safetensors file.
#pragma once

#include <mlaan/io/safetensors.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/network_description.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/state.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// What a checkpoint says of itself besides its tensors.
struct CheckpointInfo : NetworkDescription {
  std::string config;  ///< all settings of the run, as TOML
  /// Of the data set, those held out for validation included; 0 where it was not written down.
  std::int64_t train_images = 0;
  TrainingState state;
};

/// Writes the parameters and buffers of backbone and nets, twins included, the optimizers' state
/// and the loss scale, whole or not at all. Parameters keep the names of
/// Engine::named_parameters(); what an optimizer keeps of one is called
/// "optimizer.NAME.momentum_buffer".
/// \param more tensors of the training that goes with them: the average of the weights, a teacher's
///        table, or what other stages have. Their names begin with "model_ema.", "teacher.",
///        "optimizer." or "twins.".
void write_checkpoint(const std::filesystem::path& path, const Engine& engine,
                      const CheckpointInfo& info, const std::vector<NamedTensor>& more = {});

/// A checkpoint that has been read, not yet loaded into an engine.
struct Checkpoint {
  std::filesystem::path path;
  CheckpointInfo info;
  TensorFile file;
};

/// All settings of the run.
/// \throws UserError as read_settings().
Settings recorded_settings(const Checkpoint& checkpoint);

/// Whether a file says of itself that it is a checkpoint, of this or another version.
bool is_checkpoint(const TensorFile& file);

/// The classes that the head of a checkpoint tells apart; none for other files.
std::vector<std::string> class_names_of(const TensorFile& file);

/// \throws UserError for a file that is no checkpoint, and as read_safetensors() for a damaged one.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Puts all of it into the engine: tensors, optimizers' state, loss scale, number of steps done.
/// \throws UserError, and changes nothing, if names or shapes differ: a checkpoint of another
///         architecture, method or partition.
void load(const Checkpoint& checkpoint, Engine& engine);

/// Puts the backbone's parameters and buffers into a backbone, whatever else there may be.
/// \param prefix of their names: that of a moving average of them.
/// \throws UserError, and changes nothing, if one is missing or of another shape.
void load(const Checkpoint& checkpoint, const Backbone& backbone, const std::string& prefix = "");

}  // namespace mlaan

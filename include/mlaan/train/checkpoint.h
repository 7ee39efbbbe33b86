// Checkpoints: the state of a training run at one step, as a safetensors file.
#pragma once

#include <mlaan/io/safetensors.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/network_description.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/state.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// The metadata of a checkpoint.
struct CheckpointInfo : NetworkDescription {
  std::string config;  ///< all settings of the run, as TOML
  /// Number of training images in the data set, including those held out for validation; 0: not
  /// recorded.
  std::int64_t train_images = 0;
  TrainingState state;
};

/// Writes the parameters and buffers of backbone and nets (twins included), the optimizers' state
/// and the loss scale, whole or not at all (see AtomicFile). Parameters keep the names of
/// Engine::named_parameters(); an optimizer's buffer is called "optimizer.NAME.momentum_buffer".
/// \param more other tensors of the training: the average of the weights, a teacher's table, or
///         state of other stages. Their names begin with "model_ema.", "teacher.", "optimizer." or
///         "twins.".
void write_checkpoint(const std::filesystem::path& path, const Engine& engine,
                      const CheckpointInfo& info, const std::vector<NamedTensor>& more = {});

/// A checkpoint that has been read but not loaded into an engine.
struct Checkpoint {
  std::filesystem::path path;
  CheckpointInfo info;
  TensorFile file;
};

/// All settings of the run, as the checkpoint records them.
/// \throws UserError as read_settings().
Settings recorded_settings(const Checkpoint& checkpoint);

/// Whether a file's metadata mark it as a checkpoint, of this or another version of the format.
bool is_checkpoint(const TensorFile& file);

/// The names of the classes that a checkpoint's head predicts; empty for other files.
std::vector<std::string> class_names_of(const TensorFile& file);

/// \throws UserError for a file that is not a checkpoint, and as read_safetensors() for a damaged
///         one.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Loads everything into the engine: tensors, optimizers' state, loss scale, number of steps done.
/// \throws UserError, without changing anything, if names, shapes or types differ: the checkpoint
///         has another architecture, method or partition.
void load(const Checkpoint& checkpoint, Engine& engine);

/// Loads the backbone's parameters and buffers, and ignores all other tensors.
/// \param prefix of their names in the checkpoint, such as that of a weight average.
/// \throws UserError, without changing anything, if a tensor is missing or has another shape or
///         type.
void load(const Checkpoint& checkpoint, const Backbone& backbone, const std::string& prefix = "");

}  // namespace mlaan

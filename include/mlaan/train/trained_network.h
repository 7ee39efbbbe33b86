// The network of a finished run, read from its checkpoint.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/config.h>
#include <mlaan/train/phases.h>

#include <filesystem>

namespace mlaan {

/// The checkpoint itself; or, of a run's folder, the one whose weights its summary reports.
std::filesystem::path reported_checkpoint(const std::filesystem::path& path);

/// \throws UserError if the checkpoint was trained on images of another shape or on other classes.
void check_data(const Checkpoint& checkpoint, const DataSource& data);

/// The phase of its training that a checkpoint was written in.
/// \param config the settings of the checkpoint's run.
TrainingPhase phase_of(const Checkpoint& checkpoint, Config& config);

/// The backbone of a checkpoint, in evaluation mode.
/// \param config the settings of the checkpoint's run.
/// \throws UserError as load().
Backbone read_backbone(const Checkpoint& checkpoint, Config& config);

}  // namespace mlaan

// The network of a finished run, read from its checkpoint.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/settings.h>

#include <filesystem>
#include <vector>

namespace mlaan {

/// The checkpoint itself; or, of a run's folder, the one whose weights its summary reports.
std::filesystem::path reported_checkpoint(const std::filesystem::path& path);

/// \throws UserError if the checkpoint was trained on images of another shape or on other classes,
///         which are compared by their names, one after the other.
void check_data(const Checkpoint& checkpoint, const DataSource& data);

/// The phases of a checkpoint's training.
/// \param settings of the checkpoint's run.
std::vector<TrainingPhase> phases_of(const Checkpoint& checkpoint, const Settings& settings);

/// The phase of its training that a checkpoint was written in.
/// \param settings of the checkpoint's run.
TrainingPhase phase_of(const Checkpoint& checkpoint, const Settings& settings);
/// The data with its classes numbered as the checkpoint's, by their names. Where the names of one
/// of the two are only numbers, as of a published data set whose file of names is not there,
/// numbers stay as they are. \throws UserError for names that are not the same, and as
/// check_data().
DataSource with_classes_of(const Checkpoint& checkpoint, DataSource data);

/// A TorchScript file is a program. \throws UserError if the settings name one because the
/// checkpoint does, and not because the user has.
void refuse_unnamed_script(const Checkpoint& checkpoint, const Settings& settings);

/// The backbone of a checkpoint, in evaluation mode.
/// \param settings of the checkpoint's run.
/// \throws UserError as load() and refuse_unnamed_script().
Backbone read_backbone(const Checkpoint& checkpoint, const Settings& settings);

}  // namespace mlaan

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

/// The path of a checkpoint itself; for a run's folder, the checkpoint whose weights the run's
/// summary reports.
std::filesystem::path reported_checkpoint(const std::filesystem::path& path);

/// \throws UserError if the checkpoint was trained on images of another shape, or on other classes,
///         which are compared by name and order.
void check_data(const Checkpoint& checkpoint, const DataSource& data);

/// The phases of a checkpoint's training.
/// \param settings of the checkpoint's run.
std::vector<TrainingPhase> phases_of(const Checkpoint& checkpoint, const Settings& settings);

/// The phase of its training that a checkpoint was written in.
/// \param settings of the checkpoint's run.
TrainingPhase phase_of(const Checkpoint& checkpoint, const Settings& settings);
/// The data with its classes numbered as in the checkpoint, by their names. If the names of one of
/// the two are only numbers, as for a published data set whose file of names is missing, the
/// numbers stay.
/// \throws UserError for names that differ, and as check_data().
DataSource with_classes_of(const Checkpoint& checkpoint, DataSource data);

/// Refuses a TorchScript file, which is a program, unless the user has named it.
/// \throws UserError if the settings name one only because the checkpoint does.
void refuse_unnamed_script(const Checkpoint& checkpoint, const Settings& settings);

/// The backbone of a checkpoint, in evaluation mode.
/// \param settings of the checkpoint's run.
/// \throws UserError as load() and refuse_unnamed_script().
Backbone read_backbone(const Checkpoint& checkpoint, const Settings& settings);

}  // namespace mlaan

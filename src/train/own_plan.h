// The copy of the plan that is kept in a run's folder.
#pragma once

#include <mlaan/train/checkpoint.h>
#include <mlaan/train/settings.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// The method to train a run with: the name in its settings; or, if that is a plan file and the run
/// in this folder was begun with it, the folder's copy, since the file may have changed or be gone.
std::string method_of_run(const Settings& settings, const std::filesystem::path& run_folder);

/// The same for the run in whose folder a checkpoint is.
std::string method_of_run(const Settings& settings, const Checkpoint& checkpoint);

}  // namespace mlaan

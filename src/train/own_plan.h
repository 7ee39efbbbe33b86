// The copy of its plan that a run keeps.
#pragma once

#include <mlaan/train/checkpoint.h>
#include <mlaan/train/settings.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// What a run trains by: its method, or where that is a plan file and the run of this folder was
/// begun with it, the folder's own copy. The file itself may have changed since, or be gone.
std::string method_of_run(const Settings& settings, const std::filesystem::path& run_folder);

/// The same, of the run that a checkpoint lies in.
std::string method_of_run(const Settings& settings, const Checkpoint& checkpoint);

}  // namespace mlaan

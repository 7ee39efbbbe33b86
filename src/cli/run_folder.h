// The folder that a run writes to.
#pragma once

#include <mlaan/train/config.h>

#include <filesystem>

namespace mlaan::cli {

/// The folder for a new run: `output`, or runs/DATASET-MODEL-METHOD with a number behind it if that
/// is taken. \throws UserError if `output` holds a run already.
std::filesystem::path choose_run_folder(Config& config);

/// Makes it, and writes the settings into it. \throws UserError as make_writable().
void make_run_folder(const std::filesystem::path& folder, const Config& config);

/// Makes the folder if it is not there.
/// \throws UserError if it cannot be made or written to.
void make_writable(const std::filesystem::path& folder);

/// The folder of the run to go on with: `output`, or the newest of runs/DATASET-MODEL-METHOD….
/// \throws UserError if there is no checkpoint in it.
std::filesystem::path find_run_folder(Config& config);

/// The run's folder that a checkpoint lies in (FOLDER/checkpoints/…); "" for one that lies
/// elsewhere.
std::filesystem::path run_folder_of(const std::filesystem::path& checkpoint);

}  // namespace mlaan::cli

// The output folder of a run.
#pragma once

#include "io/folder_lock.h"
#include "train/new_folder.h"

#include <mlaan/train/settings.h>

#include <filesystem>
#include <memory>
#include <optional>

namespace mlaan::cli {

/// A folder to which only this process writes.
struct LockedFolder {
  std::filesystem::path path;
  std::unique_ptr<NewFolder> unless_begun;  ///< deletes the folder if the run fails at the start
  std::optional<FolderLock> lock;           ///< empty if another process writes for this one
};

/// Creates the folder for a new run: `output`, or runs/DATASET-MODEL-METHOD with a number appended
/// if that is taken. Checks that it is writable.
/// \throws UserError if `output` contains a run, is locked by another process, or is not writable.
LockedFolder make_run_folder(const Settings& settings);

/// Whether the folder contains a run with results that could be lost.
bool holds_a_run(const std::filesystem::path& folder);

/// Creates the folder if it does not exist.
/// \throws UserError if it cannot be created or written to.
void make_writable(const std::filesystem::path& folder);

/// The folder of the run to resume: `output`, or the newest of runs/DATASET-MODEL-METHOD… that was
/// begun with these settings; the number of epochs may differ.
/// \throws UserError if there is none, naming the newest run and the first setting that differs.
std::filesystem::path find_run_folder(const Settings& settings);

/// The run folder of a checkpoint in FOLDER/checkpoints/; "" for a checkpoint elsewhere.
std::filesystem::path run_folder_of(const std::filesystem::path& checkpoint);

}  // namespace mlaan::cli

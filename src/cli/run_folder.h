// The folder that a run writes to.
#pragma once

#include "io/folder_lock.h"
#include "train/new_folder.h"

#include <mlaan/train/settings.h>

#include <filesystem>
#include <memory>
#include <optional>

namespace mlaan::cli {

/// A folder that this process alone writes to.
struct LockedFolder {
  std::filesystem::path path;
  std::unique_ptr<NewFolder> unless_begun;  ///< takes it back where nothing came of the run
  std::optional<FolderLock> lock;           ///< not where another process writes for this one
};

/// The folder for a new run: `output`, or runs/DATASET-MODEL-METHOD with a number behind it if that
/// is taken. Makes it, and tries whether it can be written to.
/// \throws UserError if `output` holds a run already, is another process's, or cannot be written
/// to.
LockedFolder make_run_folder(const Settings& settings);

/// Whether a run was begun in the folder that has something to lose.
bool holds_a_run(const std::filesystem::path& folder);

/// Makes the folder if it is not there.
/// \throws UserError if it cannot be made or written to.
void make_writable(const std::filesystem::path& folder);

/// The folder of the run to go on with: `output`, or of runs/DATASET-MODEL-METHOD… the newest that
/// was begun with these settings; the number of epochs may be another one.
/// \throws UserError if there is none, naming the newest and the first setting that is another one.
std::filesystem::path find_run_folder(const Settings& settings);

/// The run's folder that a checkpoint lies in (FOLDER/checkpoints/…); "" for one that lies
/// elsewhere.
std::filesystem::path run_folder_of(const std::filesystem::path& checkpoint);

}  // namespace mlaan::cli

// The run that `mlaan train --resume` continues.
#pragma once

#include "cli/command.h"
#include "cli/run_folder.h"

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>

#include <string>

namespace mlaan::cli {

struct ResumedRun {
  Checkpoint checkpoint;
  LockedFolder folder;  ///< the folder to continue in
};

/// Finds the checkpoint to resume from, and locks the folder in which the run continues. The flags
/// given now override the checkpoint's settings.
/// \param path a checkpoint or the folder of a run; "": see find_run_folder().
/// \param writes whether this process writes to the folder; if not, the folder is neither checked
///        nor locked.
/// \throws UserError if there is no such checkpoint, if the folder contains another run or is
///         locked by another process, and as refuse_unnamed_script().
ResumedRun resume_run(const std::string& path, const ConfigFlags& flags, Config& config,
                      bool writes = true);

/// If a run continues in another folder than the checkpoint's, copies there what the original run
/// has left: checkpoint, settings, plan, logs and the weights of its best epoch.
void bring_along(const ResumedRun& run);

}  // namespace mlaan::cli

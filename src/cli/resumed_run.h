// The run that `mlaan train --resume` goes on with.
#pragma once

#include "cli/command.h"
#include "cli/run_folder.h"

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>

#include <string>

namespace mlaan::cli {

struct ResumedRun {
  Checkpoint checkpoint;
  LockedFolder folder;  ///< where it goes on
};

/// Finds the checkpoint to go on from, and keeps the folder where the run is to go on to this
/// process. The checkpoint's settings come before those given now.
/// \param writes whether this process writes to the folder; else nothing of it is looked at or
///        locked.
/// \param path a checkpoint or the folder of a run; "": see find_run_folder().
/// \throws UserError if there is no such checkpoint, if the folder holds another run or is another
///         process's, and as refuse_unnamed_script().
ResumedRun resume_run(const std::string& path, const ConfigFlags& flags, Config& config,
                      bool writes = true);

/// In another folder than the checkpoint's, a run begins with what the run that it goes on from has
/// left: checkpoint, settings, plan, logs and the weights of its best epoch.
void bring_along(const ResumedRun& run);

}  // namespace mlaan::cli

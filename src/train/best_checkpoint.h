// The checkpoint of the best epoch of a run that is gone on with.
#pragma once

#include <mlaan/train/checkpoint.h>

#include <filesystem>

namespace mlaan {

/// The checkpoint of the epoch with the lowest validation error.
std::filesystem::path best_checkpoint(const std::filesystem::path& run_folder);

/// Sees to it that the folder has the weights of the best epoch that `state`, of the checkpoint
/// that the run goes on from, knows of; before anything is trained. A run that was killed between
/// its best epoch and its next checkpoint has a better one already, which `state` then takes over.
/// \param needed whether the weights of the best epoch are what is tested in the end.
/// \throws UserError if they are needed and not there.
void settle_best(const Checkpoint& checkpoint, const std::filesystem::path& run_folder, bool needed,
                 TrainingState& state);

}  // namespace mlaan

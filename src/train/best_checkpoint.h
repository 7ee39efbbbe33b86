// The checkpoint of the best epoch, when a run is resumed.
#pragma once

#include <mlaan/train/checkpoint.h>

#include <filesystem>

namespace mlaan {

/// The checkpoint of the epoch with the lowest validation error.
std::filesystem::path best_checkpoint(const std::filesystem::path& run_folder);

/// Makes sure, before anything is trained, that the run folder has the weights of the best epoch
/// that `state` records. `state` is the state of the checkpoint that the run resumes from. A run
/// that was killed between its best epoch and its next checkpoint has already written a better
/// checkpoint, and `state` is then updated to that one.
/// \param needed whether the weights of the best epoch are tested at the end.
/// \throws UserError if the weights are needed and missing.
void settle_best(const Checkpoint& checkpoint, const std::filesystem::path& run_folder, bool needed,
                 TrainingState& state);

}  // namespace mlaan

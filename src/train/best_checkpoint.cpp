// The checkpoint of the best epoch, when a run is resumed.
#include "train/best_checkpoint.h"

#include "train/run_checkpoints.h"

#include <mlaan/core/error.h>
#include <mlaan/train/trainer.h>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

bool is_last_of(const fs::path& run_folder, const fs::path& checkpoint) {
  std::error_code error;
  return fs::equivalent(last_checkpoint(run_folder), checkpoint, error);
}

}  // namespace

fs::path best_checkpoint(const fs::path& run_folder) {
  return last_checkpoint(run_folder).parent_path() / best_file_name;
}

void settle_best(const Checkpoint& checkpoint, const fs::path& run_folder, bool needed,
                 TrainingState& state) {
  const fs::path path = best_checkpoint(run_folder);
  if (fs::exists(path)) {
    const TrainingState found = read_checkpoint(path).info.state;
    if (found.best_epoch == state.best_epoch) return;
    if (found.best_epoch > state.best_epoch && is_last_of(run_folder, checkpoint.path)) {
      state.best_epoch = found.best_epoch;
      state.best_validation_error = found.best_validation_error;
      return;
    }
  }
  if (state.best_epoch == 0) return;
  if (state.best_epoch == state.epoch && state.batch == 0) {
    fs::create_directories(path.parent_path());
    write_safetensors(path, checkpoint.file);
    return;
  }
  if (!needed) return;
  throw UserError("validation.report = \"best\" needs the weights of epoch " +
                  std::to_string(state.best_epoch) + ", the best so far of " +
                  checkpoint.path.string() + ", and " + path.string() +
                  (fs::exists(path) ? " has those of another" : " is not there") +
                  "; go on in the run's own folder, or with --set validation.report=last");
}

}  // namespace mlaan

// The trainer: epochs of steps, validation, checkpoints, and a summary at the end.
#include "train/training_run.h"

#include <mlaan/train/trainer.h>

#include <utility>

namespace mlaan {

namespace fs = std::filesystem;

fs::path last_checkpoint(const fs::path& run_folder) {
  return run_folder / "checkpoints" / last_file_name;
}

Trainer::Trainer(const Settings& settings, const DataSource& data, fs::path folder,
                 ProcessGroup* group)
    : run_(std::make_unique<TrainingRun>(settings, data, std::move(folder), group)) {}
Trainer::~Trainer() = default;

void Trainer::add_observer(TrainObserver& observer) {
  run_->add_observer(observer);
}
void Trainer::resume(const Checkpoint& checkpoint) {
  run_->resume(checkpoint);
}
TrainSummary Trainer::run(const std::function<bool()>& should_stop,
                          const std::function<bool()>& should_save) {
  return run_->run(should_stop, should_save);
}
RunReport Trainer::report() const {
  return run_->report();
}
Engine& Trainer::engine() {
  return run_->engine();
}

}  // namespace mlaan

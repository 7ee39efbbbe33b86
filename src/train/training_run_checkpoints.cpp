// A training run: writing and resuming from checkpoints.
#include "train/best_checkpoint.h"
#include "train/resumed_settings.h"
#include "train/run_figures.h"
#include "train/training_run.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/plan_file.h>

#include <utility>

namespace mlaan {

namespace fs = std::filesystem;

void TrainingRun::resume(const Checkpoint& checkpoint) {
  check_goes_on(checkpoint, settings_, data_);
  TrainingState state = checkpoint.info.state;
  const auto phase = static_cast<std::size_t>(state.phase);
  if (phase >= phases_.phase_count()) {
    throw UserError(checkpoint.path.string() + " is in phase " + std::to_string(phase + 1) +
                    " of its training, but " + run_.method + " has " +
                    std::to_string(phases_.phase_count()));
  }
  settle_best(checkpoint, folder_, settings_.get<ValidationOptions>().report == "best", state);
  phases_.restart_in(phase);
  meter_ = EpochMeter(phases_.engine());
  load(checkpoint, phases_.engine());
  joint_.drop_state_of_others(phases_.engine());
  try {
    if (average_) average_->set_state(checkpoint.file.tensors);
    if (teacher_) teacher_->set_state(checkpoint.file.tensors);
  } catch (const UserError& error) {
    throw UserError(checkpoint.path.string() + ": " + error.what());
  }
  state_ = state;
}

void TrainingRun::begin_folder() const {
  checkpoints_.make_folder();
  write_text(folder_ / "config.toml", settings_.to_toml());
  write_text(folder_ / "plan.toml", plan_text(phases_.plans(), phases_.backbone()));
}

void TrainingRun::save_within_epoch() {
  read_meter();
  clock_.read_into(state_);
  read_peak();
  save(last_file_name);
  checkpoints_.forget_images();
  peak_.reset();
  clock_.go_on();
}

bool TrainingRun::save_is_due(const Wishes& agreed) const {
  if (agreed.save) return true;
  // At the end of an epoch, save_epoch() writes the epoch's checkpoint.
  return state_.batch < batches_per_epoch() &&
         (agreed.save_by_time || checkpoints_.is_due_after_step(state_));
}

void TrainingRun::save_epoch() {
  if (checkpoints_.are_due(state_.epoch)) save(last_file_name);
  const std::string own = checkpoints_.file_of_epoch(state_.epoch);
  if (own.empty()) return;
  save(own);
  checkpoints_.remove_outdated(state_.epoch);
}

void TrainingRun::save(const std::string& file) {
  if (teacher_ && !joint_.is_alone()) teacher_->exchange(*joint_.group());
  if (joint_.has_stages()) joint_.take_same_weights(engine(), average_, state_.step);
  const auto of_others = joint_.state_of_others(engine());
  if (joint_.is_alone()) {
    write(file, {});
  } else {
    joint_.group()->wait_for_first([&] { write(file, of_others); }, "a checkpoint");
  }
  checkpoints_.note_written(state_);
}

void TrainingRun::write(const std::string& file, std::vector<NamedTensor> more) {
  if (average_) {
    for (auto& named : average_->state()) more.push_back(std::move(named));
  }
  if (teacher_) {
    for (auto& named : teacher_->state()) more.push_back(std::move(named));
  }
  const fs::path path = checkpoints_.write(file, phases_.engine(), state_, more);
  tell([&](TrainObserver& observer) { observer.on_checkpoint(path); });
}

void TrainingRun::load_best(TrainSummary& summary) {
  if (is_first(joint_.group())) read_best(summary);
  joint_.take_from_first(backbone().named_parameters(), "the weights of the best epoch");
  joint_.take_from_first(backbone().named_buffers(), "the weights of the best epoch");
}

void TrainingRun::read_best(TrainSummary& summary) {
  const Checkpoint best = read_checkpoint(best_checkpoint(folder_));
  load(best, backbone());
  if (average_) average_->set_state(best.file.tensors);
  summary.reported_epoch = state_.best_epoch;
  summary.validation_error = percent(best.info.state.validation_error);
  summary.average_validation_error = percent(best.info.state.average_validation_error);
}

}  // namespace mlaan

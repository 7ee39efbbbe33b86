// A training run: its reports.
#include "train/run_figures.h"
#include "train/run_images.h"
#include "train/training_run.h"

#include <mlaan/local/supervision_names.h>

#include <cmath>
#include <utility>

namespace mlaan {

RunReport TrainingRun::report() const {
  RunReport report;
  report.phases = phases_.reports(state_.phase_peaks);
  report.method = run_.method;
  report.model = run_.model;
  report.dataset = run_.dataset;
  report.modules = static_cast<std::int64_t>(phases_.plans().front().plan.partition.size());
  report.window = static_cast<std::int64_t>(phases_.longest_window());
  report.batch = whole_batch(settings_);
  report.processes = joint_.processes();
  report.first_modules = joint_.first_modules(phases_.engine());
  report.epochs = run_.epochs;
  report.batches_per_epoch = batches_per_epoch();
  report.train_images = static_cast<std::int64_t>(split_.train.size());
  report.validation_images = evaluation_.validation_images();
  report.test_images = evaluation_.test_images();
  report.parameters = element_count(backbone().named_parameters());
  report.auxiliary_parameters = phases_.auxiliary_parameters();
  report.steps_done = state_.step;
  report.epochs_done = state_.epoch;
  report.epochs_begun = state_.epoch + (state_.batch > 0 ? 1 : 0);
  report.class_names = data_.classes;
  return report;
}

void TrainingRun::report_step(bool in_any_case) {
  const bool logs = in_any_case || state_.step % settings_.get<LogOptions>().steps == 0;
  if (logs && joint_.has_stages()) {
    clock_.read_into(state_);
    begin_report();
    finish_reports(in_any_case ? 0 : joint_.steps_ahead());
    clock_.read_into(state_);
  } else if (logs) {
    read_meter();
    clock_.read_into(state_);
    report_steps();
  } else if (clock_.seconds_since_report() >= 1) {
    clock_.read_into(state_);
    report_progress();
  }
  if (joint_.has_stages() && !in_any_case) finish_reports(joint_.steps_ahead());
}

void TrainingRun::report_steps() {
  if (!std::isfinite(state_.loss_sum)) checkpoints_.fail_as_diverged("the loss", state_);
  StepReport report = step_report(state_);
  report.losses = joint_losses(meter_.last_losses(), share_, joint_.group());
  report.supervisions = supervision_names(engine().plan());
  tell([&](TrainObserver& observer) { observer.on_steps(report); });
  clock_.note_report();
}

void TrainingRun::begin_report() {
  StepReport report = step_report(state_);
  report.supervisions = supervision_names(engine().plan());
  TrainingState counted;
  meter_.read_into(counted);
  reports_.begin(std::move(report), counted, meter_.last_losses(), engine(), *joint_.group());
}

void TrainingRun::finish_reports(std::int64_t steps_back) {
  while (auto report = reports_.finish(state_.step - steps_back, state_)) {
    if (!std::isfinite(state_.loss_sum)) checkpoints_.fail_as_diverged("the loss", state_);
    report->loss = train_loss(state_);
    report->error = train_error(state_);
    tell([&](TrainObserver& observer) { observer.on_steps(*report); });
    clock_.note_report();
  }
}

void TrainingRun::report_progress() {
  const StepReport report = step_report(joint_.has_stages() ? state_ : meter_.peek(state_));
  tell([&](TrainObserver& observer) { observer.on_progress(report); });
  clock_.note_report();
}

StepReport TrainingRun::step_report(const TrainingState& state) const {
  StepReport report;
  report.epoch = state_.epoch + 1;
  report.batch = state_.batch;
  report.step = state_.step;
  report.learning_rate = learning_rate_;
  report.loss = train_loss(state);
  report.error = train_error(state);
  report.images_per_second = images_per_second(state_);
  const std::int64_t steps_left = steps_in_all() - batches_done();
  report.seconds_left =
      state_.seconds / static_cast<double>(state_.step) * static_cast<double>(steps_left);
  report.data_wait = clock_.data_wait();
  return report;
}

TrainSummary TrainingRun::summarise(bool complete) {
  TrainSummary summary;
  summary.run = report();
  summary.complete = complete;
  summary.ended_by = complete ? reached_end() : "";
  summary.reported = settings_.get<ValidationOptions>().report;
  summary.reported_epoch = summary.run.epochs_begun;
  summary.train_error = percent(state_.train_error);
  summary.validation_error = percent(state_.validation_error);
  summary.average_validation_error = percent(state_.average_validation_error);
  summary.average_test_error = undefined_number;
  summary.seconds = state_.seconds;
  summary.images_per_second = images_per_second(state_);
  summary.peak_bytes = state_.peak_bytes;
  summary.peak_by_kind = peak_.by_kind();
  summary.test_error = undefined_number;
  summary.test_loss = undefined_number;
  if (!complete) return summary;
  if (summary.reported == "best") load_best(summary);
  joint_.take_same_weights(engine(), average_, state_.step);
  const auto scores = evaluation_.test(engine(), average_, should_stop_);
  summary.complete = scores.has_value();
  if (!scores) return summary;
  summary.test_error = scores->weights.error;
  summary.test_loss = scores->weights.loss;
  summary.average_test_error = scores->average.error;
  return summary;
}

}  // namespace mlaan

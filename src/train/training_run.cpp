// A training run: setting up, and the loop over epochs and steps.
#include "train/training_run.h"

#include "train/own_plan.h"
#include "train/run_figures.h"
#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/learning_rate.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <utility>

namespace mlaan {

namespace fs = std::filesystem;

TrainingRun::TrainingRun(const Settings& settings, const DataSource& data, fs::path folder,
                         ProcessGroup* group)
    : settings_(settings),
      run_(settings_.get<RunOptions>()),
      joint_(settings, group),
      data_(data),
      folder_(std::move(folder)),
      peak_(parse_device(run_.device)),
      split_(split_of_run(settings, data)),
      phases_(settings, data, method_named(method_of_run(settings, folder_)),
              [this](EngineOptions& options, const Plan& plan) { joint_.join(options, plan); }),
      train_loader_(make_train_loader(settings, data, split_.train, skip_report(),
                                      joint_.batch_share(), reads_pictures())),
      evaluation_(settings, data_, split_.validation, test_images_of_run(settings, data),
                  skip_report(), group),
      average_(make_average()),
      teacher_(make_teacher_table(settings, data.train->size(), backbone().classes(),
                                  parse_device(run_.device))),
      meter_(phases_.engine()),
      checkpoints_(settings, data_, folder_),
      end_(settings.get<LimitOptions>(), settings.get<EarlyStoppingOptions>()) {
  check_is_validated();
  check_has_work_for_all();
}

TrainSummary TrainingRun::run(const std::function<bool()>& should_stop,
                              const std::function<bool()>& should_save) {
  should_stop_ = should_stop;
  should_save_ = should_save;
  if (is_first(joint_.group())) begin_folder();
  for (const auto& note : joint_.begin(phases_, data_, state_.step)) {
    tell([&](TrainObserver& observer) { observer.on_note(note); });
  }
  tell([&](TrainObserver& observer) { observer.on_start(report()); });
  end_.begin();
  bool stopped = false;
  while (!stopped && state_.epoch < run_.epochs && reached_end().empty()) {
    stopped = !train_epoch() || !finish_epoch();
  }
  if (!stopped && state_.batch > 0) stopped = !end_within_epoch();
  const bool is_saved = stopped ? checkpoints_.has(state_.step)
                                : state_.batch > 0 || checkpoints_.are_due(state_.epoch);
  if (!is_saved) save(last_file_name);
  for (auto& decision : decisions_) decision.wait();
  decisions_.clear();
  TrainSummary summary = summarise(/*complete=*/!stopped);
  summary.ranks = joint_.reports(engine(), peak_.own(), steps_here_);
  tell([](TrainObserver& observer) { observer.on_end(); });
  return summary;
}

bool TrainingRun::reads_pictures() const {
  return !joint_.has_stages() || phases_.phase_count() > 1 || phases_.engine().reads_images();
}

void TrainingRun::check_is_validated() const {
  if (!split_.validation.empty()) return;
  const auto refuse = [](const std::string& setting) {
    throw UserError(setting + " needs validation images; validation.fraction leaves none");
  };
  if (settings_.get<ValidationOptions>().report == "best") refuse("validation.report = \"best\"");
  if (settings_.get<EarlyStoppingOptions>().patience > 0) refuse("early_stopping.patience");
  if (settings_.get<ScheduleOptions>().type == "plateau") refuse("schedule.type = \"plateau\"");
}

void TrainingRun::check_has_work_for_all() const {
  if (joint_.is_alone()) return;
  const auto images = static_cast<std::int64_t>(split_.train.size());
  const std::int64_t parts = settings_.get<ExecutionOptions>().micro_batches *
                             (joint_.has_stages() ? 1 : joint_.processes());
  if (images >= parts) return;
  throw UserError(std::to_string(images) + " images to train on are too few for " +
                  std::to_string(parts) +
                  " processes and micro-batches (dist.processes, engine.micro_batches)");
}

std::int64_t TrainingRun::batches_per_epoch() const {
  const std::int64_t all = train_loader_->batches_per_epoch();
  const std::int64_t limit = settings_.get<LimitOptions>().train_batches;
  return limit > 0 ? std::min(limit, all) : all;
}

std::string TrainingRun::reached_end() const {
  const bool time_is_over = joint_.is_alone() ? end_.is_time_over() : time_is_over_;
  return end_.reached(state_, time_is_over, batches_done(), steps_of_epochs());
}

void TrainingRun::enter_next_step() {
  const bool hands_over =
      joint_.has_stages() && phases_.begins_phase(batches_done(), steps_in_all());
  if (hands_over) {
    joint_.take_same_weights(engine(), average_, state_.step);
    joint_.take_all_state(engine());
  }
  const bool begun = phases_.enter(batches_done(), steps_in_all(), [this] {
    read_meter();
    read_peak();
    peak_.reset();
  });
  if (!begun) return;
  if (hands_over) joint_.drop_state_of_others(engine());
  meter_ = EpochMeter(phases_.engine());
  state_.phase = static_cast<std::int64_t>(phases_.phase());
  const auto report = phases_.reports(state_.phase_peaks)[phases_.phase()];
  tell([&](TrainObserver& observer) { observer.on_phase(report); });
}

SkipReport TrainingRun::skip_report() {
  return [this](const std::string& what) {
    tell([&](TrainObserver& observer) { observer.on_skipped(what); });
  };
}

double TrainingRun::learning_rate_at(std::int64_t step) {
  const std::int64_t per_epoch = batches_per_epoch();
  const double epochs = static_cast<double>(steps_in_all()) / static_cast<double>(per_epoch);
  return learning_rate({step, per_epoch, epochs, state_.plateau.count}, run_.lr,
                       settings_.get<ScheduleOptions>());
}

bool TrainingRun::train_epoch() {
  checkpoints_.begin_epoch();
  peak_.reset();
  train_loader_->start(state_.epoch, state_.batch);
  // A run resumed after the last step of an epoch still reports that epoch.
  if (state_.batch > 0) learning_rate_ = learning_rate_at(batches_done() - 1);
  clock_.begin_epoch();
  while (auto batch = clock_.timed([this] { return train_loader_->next(); })) {
    enter_next_step();
    decisions_.emplace_back(joint_.group(), [this] { return wishes(); });
    train_on(*batch);
    const Wishes agreed = decided();
    const bool save_now = save_is_due(agreed);
    time_is_over_ = agreed.end;
    const bool last = state_.batch >= batches_per_epoch() || !reached_end().empty();
    if (agreed.stop || save_now || last) checkpoints_.keep_some(batch->images);
    report_step(agreed.stop || last);
    if (agreed.stop) {
      read_peak();
      return false;
    }
    if (save_now) save_within_epoch();
    if (last) break;
  }
  read_peak();
  return true;
}

void TrainingRun::train_on(const Batch& batch) {
  learning_rate_ = learning_rate_at(batches_done());
  engine().set_learning_rate(learning_rate_);
  take_share(batch);
  meter_.add(step(batch), batch.labels);
  ++state_.step;
  ++steps_here_;
  if (average_) average_->update(state_.step);
  ++state_.batch;
  state_.images += joint_.is_alone() ? batch.labels.size(0) : batch.whole_size;
}

StepResult TrainingRun::step(const Batch& batch) {
  if (!teacher_) return engine().step(batch.images, batch.labels);
  const double progress = static_cast<double>(batches_done()) / static_cast<double>(steps_in_all());
  return taught_step(engine(), *teacher_, batch, settings_.get<TeacherOptions>(), progress);
}

Wishes TrainingRun::decided() {
  if (static_cast<std::int64_t>(decisions_.size()) <= joint_.steps_ahead()) return {};
  const Wishes agreed = decisions_.front().wait();
  decisions_.pop_front();
  return agreed;
}

Wishes TrainingRun::wishes() const {
  Wishes wishes;
  wishes.stop = should_stop_ && should_stop_();
  wishes.save = should_save_ && should_save_();
  if (!is_first(joint_.group())) return wishes;  // only rank 0's clock counts
  wishes.save_by_time = checkpoints_.is_due_by_time();
  wishes.end = end_.is_time_over();
  return wishes;
}

void TrainingRun::take_share(const Batch& batch) {
  if (joint_.is_alone() || joint_.has_stages()) return;
  share_ = static_cast<double>(batch.labels.size(0)) / static_cast<double>(batch.whole_size);
  phases_.engine().set_batch_share(share_);
}

void TrainingRun::read_meter() {
  finish_reports(0);
  if (joint_.is_alone()) {
    meter_.read_into(state_);
    return;
  }
  TrainingState counted;
  meter_.read_into(counted);
  add_counts(state_, counted, *joint_.group());
}

std::optional<EpochReport> TrainingRun::validate() {
  joint_.take_same_weights(engine(), average_, state_.step);
  const auto scores = evaluation_.validate(engine(), average_, should_stop_);
  if (!scores) return std::nullopt;
  EpochReport report;
  report.epoch = state_.epoch + 1;
  report.step = state_.step;
  report.learning_rate = learning_rate_;
  report.train_loss = train_loss(state_);
  report.train_error = train_error(state_);
  report.validation_loss = scores->weights.loss;
  report.validation_error = scores->weights.error;
  report.average_validation_error = scores->average.error;
  report.images_per_second = images_per_second(state_);
  report.seconds = state_.seconds;
  report.data_wait = clock_.data_wait();
  report.peak_bytes = state_.peak_bytes;
  return report;
}

void TrainingRun::note_errors(const EpochReport& report) {
  state_.train_error = report.train_error;
  if (split_.validation.empty()) return;
  state_.validation_error = report.validation_error;
  if (average_) state_.average_validation_error = report.average_validation_error;
}

bool TrainingRun::finish_epoch() {
  if (state_.batch < batches_per_epoch()) return true;
  if (teacher_ && !joint_.is_alone()) teacher_->exchange(*joint_.group());
  const bool is_saved = split_.validation.empty() || checkpoints_.has(state_.step);
  if (!is_saved && checkpoints_.are_due(state_.epoch + 1)) save(last_file_name);
  const auto report = validate();
  if (!report) return false;
  note_errors(*report);
  const auto& schedule = settings_.get<ScheduleOptions>();
  if (schedule.type == "plateau") {
    const double watched =
        schedule.monitor == "loss" ? report->validation_loss : report->validation_error;
    state_.plateau = after_epoch(state_.plateau, watched, schedule);
  }
  ++state_.epoch;
  state_.batch = 0;
  state_.loss_sum = 0;
  state_.errors = 0;
  state_.samples = 0;
  const double judged = average_ ? report->average_validation_error : report->validation_error;
  end_.note(judged, state_);
  const bool best = !split_.validation.empty() &&
                    (state_.best_epoch == 0 || judged < state_.best_validation_error);
  if (best) {
    state_.best_validation_error = judged;
    state_.best_epoch = state_.epoch;
  }
  // Observers come before the checkpoint: if the process is killed in between, their lines on this
  // epoch are cut off again when the run is resumed.
  tell([&](TrainObserver& observer) { observer.on_epoch(*report); });
  if (best) save(best_file_name);
  save_epoch();
  return true;
}

bool TrainingRun::end_within_epoch() {
  if (!checkpoints_.has(state_.step)) save(last_file_name);
  const auto report = validate();
  if (!report) return false;
  note_errors(*report);
  tell([&](TrainObserver& observer) { observer.on_epoch(*report); });
  return true;
}

std::optional<WeightAverage> TrainingRun::make_average() const {
  const auto& options = settings_.get<WeightAverageOptions>();
  if (!options.enabled) return std::nullopt;
  return WeightAverage(backbone(), options);
}

}  // namespace mlaan

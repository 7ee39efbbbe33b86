// The trainer: epochs of steps, validation, checkpoints, and a summary at the end.
#include "core/undefined_number.h"
#include "dist/gradient_buckets.h"
#include "dist/stage_links.h"
#include "measure/timing.h"
#include "train/best_checkpoint.h"
#include "train/epoch_meter.h"
#include "train/joint_training.h"
#include "train/own_plan.h"
#include "train/resumed_settings.h"
#include "train/run_checkpoints.h"
#include "train/run_images.h"
#include "train/stage_reports.h"
#include "train/stage_sharing.h"
#include "train/training_end.h"

#include <mlaan/core/quantity.h>
#include <mlaan/core/random.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/supervision_names.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/learning_rate.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phased_engine.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/stage_split.h>
#include <mlaan/train/teacher_table.h>
#include <mlaan/train/trainer.h>
#include <mlaan/train/weight_average.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <deque>
#include <optional>
#include <sstream>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr const char* checkpoint_folder = "checkpoints";
constexpr const char* last_file = "last.safetensors";

/// That tells texts apart.
std::string number_of(const std::string& text) {
  return std::to_string(random_key(text));
}

/// An error of the state's: −1 stands for none.
double percent(double error) {
  return error < 0 ? undefined_number : error;
}

}  // namespace

fs::path last_checkpoint(const fs::path& run_folder) {
  return run_folder / checkpoint_folder / last_file;
}

class Trainer::Implementation {
 public:
  Implementation(const Settings& settings, const DataSource& data, fs::path folder,
                 ProcessGroup* group)
      : settings_(settings),
        group_(group),
        run_(settings_.get<RunOptions>()),
        data_(data),
        folder_(std::move(folder)),
        device_(parse_device(run_.device)),
        bytes_before_(measure::read_memory(device_).live),
        split_(split_of_run(settings, data)),
        test_images_(test_images_of_run(settings, data)),
        phases_(settings, data, method_named(method_of_run(settings, folder_)),
                [this](EngineOptions& options, const Plan& plan) { join(options, plan); }),
        train_loader_(make_train_loader(settings, data, split_.train, skip_report(), batch_share(),
                                        reads_pictures())),
        validation_loader_(make_plain_loader(settings, data, data.train,
                                             share_of(split_.validation, group), skip_report())),
        average_(make_average()),
        teacher_(make_teacher()),
        meter_(phases_.engine()),
        checkpoints_(settings, data_, folder_),
        end_(settings.get<LimitOptions>(), settings.get<EarlyStoppingOptions>()) {
    check_ranks(settings_, group_);
    check_is_validated();
    check_has_work_for_all();
  }

  RunReport report() const {
    RunReport report;
    report.phases = phases_.reports(state_.phase_peaks);
    report.method = run_.method;
    report.model = run_.model;
    report.dataset = run_.dataset;
    report.modules = static_cast<std::int64_t>(phases_.plans().front().plan.partition.size());
    report.window = static_cast<std::int64_t>(phases_.longest_window());
    report.batch = whole_batch(settings_);
    report.processes = group_ == nullptr ? 1 : group_->size();
    if (has_stages()) {
      for (const auto module : phases_.engine().stages().first_modules) {
        report.first_modules.push_back(static_cast<std::int64_t>(module) + 1);
      }
    }
    report.epochs = run_.epochs;
    report.batches_per_epoch = batches_per_epoch();
    report.train_images = static_cast<std::int64_t>(split_.train.size());
    report.validation_images = static_cast<std::int64_t>(split_.validation.size());
    report.test_images = static_cast<std::int64_t>(test_images_.size());
    report.parameters = element_count(backbone().named_parameters());
    report.auxiliary_parameters = phases_.auxiliary_parameters();
    report.steps_done = state_.step;
    report.epochs_done = state_.epoch;
    report.epochs_begun = state_.epoch + (state_.batch > 0 ? 1 : 0);
    report.class_names = data_.classes;
    return report;
  }

  void resume(const Checkpoint& checkpoint) {
    check_goes_on(checkpoint, settings_, data_);
    TrainingState state = checkpoint.info.state;
    const auto phase = static_cast<std::size_t>(state.phase);
    if (phase >= phases_.phase_count()) {
      throw UserError(checkpoint.path.string() + " stands in phase " + std::to_string(phase + 1) +
                      " of its training, but " + run_.method + " has " +
                      std::to_string(phases_.phase_count()));
    }
    settle_best(checkpoint, folder_, settings_.get<ValidationOptions>().report == "best", state);
    phases_.restart_in(phase);
    meter_ = EpochMeter(phases_.engine());
    load(checkpoint, phases_.engine());
    if (has_stages()) keep_own_state(phases_.engine());
    try {
      if (average_) average_->set_state(checkpoint.file.tensors);
      if (teacher_) teacher_->set_state(checkpoint.file.tensors);
    } catch (const UserError& error) {
      throw UserError(checkpoint.path.string() + ": " + error.what());
    }
    state_ = state;
  }

  TrainSummary run(const std::function<bool()>& should_stop,
                   const std::function<bool()>& should_save) {
    should_stop_ = should_stop;
    should_save_ = should_save;
    if (is_first(group_)) begin_folder();
    begin_together();
    for (auto* observer : observers_) observer->on_start(report());
    end_.begin();
    bool stopped = false;
    while (!stopped && state_.epoch < run_.epochs && reached_end().empty()) {
      stopped = !train_epoch() || !finish_epoch();
    }
    if (!stopped && state_.batch > 0) stopped = !end_within_epoch();
    const bool is_saved = stopped ? checkpoints_.has(state_.step)
                                  : state_.batch > 0 || checkpoints_.are_due(state_.epoch);
    if (!is_saved) save(last_file);
    for (auto& decision : decisions_) decision.wait();
    decisions_.clear();
    TrainSummary summary = summarise(/*complete=*/!stopped);
    summary.ranks = rank_reports(group_, traffic_before_, own_peak_, steps_here_);
    name_stages(summary.ranks);
    for (auto* observer : observers_) observer->on_end();
    return summary;
  }

  std::vector<TrainObserver*> observers_;
  Engine& engine() { return phases_.engine(); }

 private:
  /// Whether each process has some of the modules, and all have the same batches.
  bool has_stages() const { return settings_.get<DistOptions>().stages > 1; }

  BatchShare batch_share() const {
    return group_ == nullptr || has_stages() ? BatchShare{}
                                             : BatchShare{group_->rank(), group_->size()};
  }

  /// Whether training needs the pictures here; of later phases nothing is known yet.
  bool reads_pictures() const {
    return !has_stages() || phases_.phase_count() > 1 || phases_.engine().reads_images();
  }

  /// Has an engine train as one of several processes.
  void join(EngineOptions& options, const Plan& plan) const {
    if (group_ == nullptr) return;
    if (has_stages()) {
      options.stages.first_modules = first_modules_of_stages(settings_, plan.partition.size());
      options.stages.own = static_cast<std::size_t>(group_->rank());
      options.stages.transport = std::make_shared<StageLinks>(*group_);
      // An average of the weights is moved after every step.
      options.overlaps_steps = !settings_.get<WeightAverageOptions>().enabled;
      return;
    }
    options.reducer = std::make_shared<GradientBuckets>(
        *group_, parse_bytes(settings_.get<DistOptions>().bucket));
    options.replica = group_->rank();
    options.replicas = group_->size();
  }

  void begin_folder() const {
    checkpoints_.make_folder();
    write_text(folder_ / "config.toml", settings_.to_toml());
    write_text(folder_ / "plan.toml", plan_text(phases_.plans(), phases_.backbone()));
  }

  /// Gives all processes what these tensors are in the first one.
  void share(const std::vector<NamedTensor>& tensors, const std::string& what) {
    group_->broadcast(tensors_of(tensors), what);
  }

  /// Sees to it that all processes begin with the same.
  void begin_together() {
    if (group_ == nullptr) return;
    check_agreement(*group_,
                    {{"the plan", number_of(plan_text(phases_.plans(), phases_.backbone()))},
                     {"the training set", fingerprint(*data_.train)},
                     {"the test set", fingerprint(*data_.test)},
                     {"the number of steps done", std::to_string(state_.step)}});
    share(engine().named_parameters(), "the weights to begin with");
    share(engine().named_buffers(), "the weights to begin with");
    traffic_before_ = group_->traffic();
    shared_step_ = state_.step;
    tell_of_waiting();
  }

  /// Says, once, where stages wait for later ones.
  void tell_of_waiting() {
    if (!has_stages() || settings_.get<DistOptions>().twin_delay > 0) return;
    std::string lines;
    for (const auto& note : notes_on_waiting(engine())) lines += note + "\n";
    for (const auto& text : group_->gather(lines, "what stages wait for")) {
      std::istringstream all(text);
      for (std::string line; std::getline(all, line);) {
        for (auto* observer : observers_) observer->on_note(line);
      }
    }
  }

  /// Gives all processes the same weights: those of all stages; or, where all have all weights
  /// already, what rank 0's batch normalisations have seen, which is what checkpoints hold.
  void take_same_weights() {
    if (group_ == nullptr) return;
    if (has_stages() && shared_step_ != state_.step) {
      share_weights(engine(), *group_, average_ ? average_->state() : std::vector<NamedTensor>(),
                    weight_average_prefix);
      shared_step_ = state_.step;
      return;
    }
    share(backbone().named_buffers(), "the statistics of batch normalisation");
    if (average_) share(average_->state(), "the average of the weights");
  }

  const Backbone& backbone() const { return phases_.backbone(); }

  /// What is asked for that only validation images can tell.
  void check_is_validated() const {
    if (!split_.validation.empty()) return;
    const auto refuse = [](const std::string& setting) {
      throw UserError(setting + " needs validation images; validation.fraction leaves none");
    };
    if (settings_.get<ValidationOptions>().report == "best") refuse("validation.report = \"best\"");
    if (settings_.get<EarlyStoppingOptions>().patience > 0) refuse("early_stopping.patience");
    if (settings_.get<ScheduleOptions>().type == "plateau") refuse("schedule.type = \"plateau\"");
  }

  void check_has_work_for_all() const {
    if (group_ == nullptr) return;
    const auto images = static_cast<std::int64_t>(split_.train.size());
    const std::int64_t parts =
        settings_.get<ExecutionOptions>().micro_batches * (has_stages() ? 1 : group_->size());
    if (images >= parts) return;
    throw UserError(std::to_string(images) + " images to train on are too few for " +
                    std::to_string(parts) +
                    " processes and micro-batches (dist.processes, engine.micro_batches)");
  }

  std::int64_t batches_per_epoch() const {
    const std::int64_t all = train_loader_->batches_per_epoch();
    const std::int64_t limit = settings_.get<LimitOptions>().train_batches;
    return limit > 0 ? std::min(limit, all) : all;
  }

  std::int64_t steps_of_epochs() const { return run_.epochs * batches_per_epoch(); }

  std::int64_t steps_in_all() const { return end_.steps(steps_of_epochs()); }

  /// The setting that ends the training here, if one does.
  std::string reached_end() const {
    const bool time_is_over = group_ == nullptr ? end_.is_time_over() : time_is_over_;
    return end_.reached(state_, time_is_over, batches_done(), steps_of_epochs());
  }

  /// How far training has come, in batches of the present size. Steps do not say: those before a
  /// run was gone on with may have been of another.
  std::int64_t batches_done() const { return state_.epoch * batches_per_epoch() + state_.batch; }

  /// Brings the engine to where the next step is.
  void enter_next_step() {
    const bool hands_over = has_stages() && phases_.begins_phase(batches_done(), steps_in_all());
    if (hands_over) {
      take_same_weights();
      const auto others = state_of_other_stages(engine(), *group_);
      auto all = optimizer_state(engine().parts());
      all.insert(all.end(), others.begin(), others.end());
      set_optimizer_state(engine().parts(), all);
    }
    const bool begun = phases_.enter(batches_done(), steps_in_all(), [this] {
      read_meter();
      note_peak();
      measure::reset_peak(device_);
    });
    if (!begun) return;
    if (hands_over) keep_own_state(engine());
    meter_ = EpochMeter(phases_.engine());
    state_.phase = static_cast<std::int64_t>(phases_.phase());
    const auto report = phases_.reports(state_.phase_peaks)[phases_.phase()];
    for (auto* observer : observers_) observer->on_phase(report);
  }

  Predictor predictor() {
    return [this](const torch::Tensor& images) { return phases_.engine().predict(images); };
  }

  Predictor test_predictor() {
    return at_test_time(predictor(), settings_.get<ValidationOptions>().tta);
  }

  SkipReport skip_report() {
    return [this](const std::string& what) {
      for (auto* observer : observers_) observer->on_skipped(what);
    };
  }

  /// The next batch; waiting for it is noted.
  std::optional<Batch> next_batch() {
    const auto start = Clock::now();
    auto batch = train_loader_->next();
    waited_ += seconds_since(start);
    return batch;
  }

  double learning_rate_at(std::int64_t step) {
    const std::int64_t per_epoch = batches_per_epoch();
    const double epochs = static_cast<double>(steps_in_all()) / static_cast<double>(per_epoch);
    return learning_rate({step, per_epoch, epochs, state_.plateau.count}, run_.lr,
                         settings_.get<ScheduleOptions>());
  }

  /// Trains to the end of the epoch, or of the training within it.
  /// \return false if it was stopped.
  bool train_epoch() {
    const std::int64_t batches = batches_per_epoch();
    checkpoints_.begin_epoch();
    measure::reset_peak(device_);
    train_loader_->start(state_.epoch, state_.batch);
    // Where all of the epoch's steps are done already, it is still to be reported.
    if (state_.batch > 0) learning_rate_ = learning_rate_at(batches_done() - 1);
    const std::int64_t log_steps = settings_.get<LogOptions>().steps;
    auto start = Clock::now();
    waited_ = 0;
    epoch_seconds_ = 0;
    const auto pause_clock = [&] {
      const double seconds = seconds_since(start);
      state_.seconds += seconds;
      epoch_seconds_ += seconds;
      start = Clock::now();
    };
    while (auto batch = next_batch()) {
      enter_next_step();
      learning_rate_ = learning_rate_at(batches_done());
      phases_.engine().set_learning_rate(learning_rate_);
      decisions_.emplace_back(group_, [this] { return wishes(); });
      take_share(*batch);
      meter_.add(step(*batch), batch->labels);
      ++state_.step;
      ++steps_here_;
      if (average_) average_->update(state_.step);
      ++state_.batch;
      state_.images += group_ == nullptr ? batch->labels.size(0) : batch->whole_size;
      const Wishes agreed = decided();
      const bool stop = agreed.stop;
      const bool save_now = save_is_due(agreed);
      time_is_over_ = agreed.end;
      const bool last = state_.batch >= batches || !reached_end().empty();
      if (stop || save_now || last) checkpoints_.keep_some(batch->images);
      const bool logs = stop || last || state_.step % log_steps == 0;
      if (logs && has_stages()) {
        pause_clock();
        begin_report();
        finish_reports(stop || last ? 0 : steps_ahead());
        pause_clock();
      } else if (logs) {
        read_meter();
        pause_clock();
        report_steps();
      } else if (seconds_since(last_report_) >= 1) {
        pause_clock();
        report_progress();
      }
      if (stop) {
        note_peak();
        return false;
      }
      if (has_stages()) finish_reports(steps_ahead());
      if (save_now) {
        read_meter();
        pause_clock();
        note_peak();
        save(last_file);
        checkpoints_.forget_images();
        measure::reset_peak(device_);
        start = Clock::now();
      }
      if (last) break;
    }
    note_peak();
    return true;
  }

  /// Trains on a batch, with labels that a teacher has a share of where there is one.
  StepResult step(const Batch& batch) {
    if (!teacher_) return phases_.engine().step(batch.images, batch.labels);
    const auto& options = settings_.get<TeacherOptions>();
    const double progress =
        static_cast<double>(batches_done()) / static_cast<double>(steps_in_all());
    const auto mixed =
        teacher_->mixed(batch.labels, batch.indices, teacher_share(options, progress));
    StepResult result = options.of == "all"
                            ? phases_.engine().step(batch.images, mixed)
                            : phases_.engine().step(batch.images, batch.labels, mixed);
    teacher_->record(batch.indices, result.logits);
    return result;
  }

  /// Steps that one stage may be ahead of another. What all have to settle after a step is settled
  /// so many steps later, so that none waits for that.
  std::int64_t steps_ahead() const { return has_stages() ? group_->size() : 0; }

  /// What all do now.
  Wishes decided() {
    if (static_cast<std::int64_t>(decisions_.size()) <= steps_ahead()) return {};
    const Wishes agreed = decisions_.front().wait();
    decisions_.pop_front();
    return agreed;
  }

  Wishes wishes() const {
    Wishes wishes;
    wishes.stop = should_stop_ && should_stop_();
    wishes.save = should_save_ && should_save_();
    if (!is_first(group_)) return wishes;  // of clocks, the first one's counts
    wishes.save_by_time = checkpoints_.is_due_by_time();
    wishes.end = end_.is_time_over();
    return wishes;
  }

  bool save_is_due(const Wishes& agreed) const {
    if (agreed.save) return true;
    // At the end of an epoch the epoch's own checkpoint follows.
    return state_.batch < batches_per_epoch() &&
           (agreed.save_by_time || checkpoints_.is_due_after_step(state_));
  }

  /// Says how much of the step's whole batch this process has.
  void take_share(const Batch& batch) {
    if (group_ == nullptr || has_stages()) return;
    share_ = static_cast<double>(batch.labels.size(0)) / static_cast<double>(batch.whole_size);
    phases_.engine().set_batch_share(share_);
  }

  /// Takes what was counted of the epoch into the state.
  void read_meter() {
    finish_reports(0);
    if (group_ == nullptr) {
      meter_.read_into(state_);
      return;
    }
    TrainingState counted;
    meter_.read_into(counted);
    add_counts(state_, counted, *group_);
  }

  /// Validates, and tells of the epoch that is under way.
  /// \return nothing if it was stopped.
  std::optional<EpochReport> validate() {
    take_same_weights();
    const Score validation = evaluate(predictor(), *validation_loader_, should_stop_, group_);
    if (validation.stopped) return std::nullopt;
    const Score of_average = evaluate_average(predictor(), *validation_loader_);
    if (of_average.stopped) return std::nullopt;
    EpochReport report;
    report.epoch = state_.epoch + 1;
    report.step = state_.step;
    report.learning_rate = learning_rate_;
    report.train_loss = train_loss(state_);
    report.train_error = train_error(state_);
    report.validation_loss = validation.loss;
    report.validation_error = validation.error;
    report.average_validation_error = of_average.error;
    report.images_per_second = images_per_second();
    report.seconds = state_.seconds;
    report.data_wait = data_wait();
    report.peak_bytes = state_.peak_bytes;
    return report;
  }

  /// Takes the errors of the epoch under way into the state.
  void note_errors(const EpochReport& report) {
    state_.train_error = report.train_error;
    if (split_.validation.empty()) return;
    state_.validation_error = report.validation_error;
    if (average_) state_.average_validation_error = report.average_validation_error;
  }

  /// \return false if it was stopped: the epoch is trained and saved, but not validated.
  bool finish_epoch() {
    if (state_.batch < batches_per_epoch()) return true;
    if (teacher_ && group_ != nullptr) teacher_->exchange(*group_);
    const bool is_saved = split_.validation.empty() || checkpoints_.has(state_.step);
    if (!is_saved && checkpoints_.are_due(state_.epoch + 1)) save(last_file);
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
    // Observers first: what they wrote of an epoch that a kill keeps from being saved is cut off
    // again when the run goes on.
    for (auto* observer : observers_) observer->on_epoch(*report);
    if (best) save("best.safetensors");
    save_epoch();
    return true;
  }

  /// Saves and validates the epoch in which the training ends. The checkpoint is one of the middle
  /// of an epoch: a run that may go on for longer later goes on from there.
  /// \return false if it was stopped.
  bool end_within_epoch() {
    if (!checkpoints_.has(state_.step)) save(last_file);
    const auto report = validate();
    if (!report) return false;
    note_errors(*report);
    for (auto* observer : observers_) observer->on_epoch(*report);
    return true;
  }

  void save_epoch() {
    if (checkpoints_.are_due(state_.epoch)) save(last_file);
    const std::string own = checkpoints_.file_of_epoch(state_.epoch);
    if (own.empty()) return;
    save(own);
    checkpoints_.remove_outdated(state_.epoch);
  }

  void save(const std::string& file) {
    if (teacher_ && group_ != nullptr) teacher_->exchange(*group_);
    std::vector<NamedTensor> of_others;
    if (has_stages()) {
      take_same_weights();
      of_others = state_of_other_stages(engine(), *group_);
    }
    if (group_ == nullptr) {
      write(file, {});
    } else {
      group_->wait_for_first([&] { write(file, of_others); }, "a checkpoint");
    }
    checkpoints_.note_written(state_);
  }

  /// \param more tensors that other stages have.
  void write(const std::string& file, std::vector<NamedTensor> more) {
    if (average_) {
      for (auto& named : average_->state()) more.push_back(std::move(named));
    }
    if (teacher_) {
      for (auto& named : teacher_->state()) more.push_back(std::move(named));
    }
    const fs::path path = checkpoints_.write(file, phases_.engine(), state_, more);
    for (auto* observer : observers_) observer->on_checkpoint(path);
  }

  void note_peak() {
    const auto reading = measure::read_memory(device_);
    const std::int64_t peak = reading.peak - bytes_before_;
    state_.phase_peaks.resize(phases_.phase_count(), 0);
    auto& of_phase = state_.phase_peaks[static_cast<std::size_t>(state_.phase)];
    of_phase = std::max(of_phase, peak);
    own_peak_ = std::max(own_peak_, peak);
    if (peak <= state_.peak_bytes) return;
    state_.peak_bytes = peak;
    peak_by_kind_ = reading.peak_by_kind;
  }

  double images_per_second() const {
    return state_.seconds > 0 ? static_cast<double>(state_.images) / state_.seconds : 0;
  }
  double data_wait() const { return epoch_seconds_ > 0 ? waited_ / epoch_seconds_ : 0; }
  static double train_loss(const TrainingState& state) {
    return state.samples > 0 ? state.loss_sum / static_cast<double>(state.samples)
                             : undefined_number;
  }
  static double train_error(const TrainingState& state) {
    return state.samples > 0
               ? 100 * static_cast<double>(state.errors) / static_cast<double>(state.samples)
               : undefined_number;
  }

  void report_steps() {
    if (!std::isfinite(state_.loss_sum)) checkpoints_.fail_as_diverged("the loss", state_);
    StepReport report = step_report(state_);
    report.losses = joint_losses(meter_.last_losses(), share_, group_);
    report.supervisions = supervision_names(phases_.engine().plan());
    for (auto* observer : observers_) observer->on_steps(report);
    last_report_ = Clock::now();
  }

  /// Begins to report this step, of which other stages know the rest.
  void begin_report() {
    StepReport report = step_report(state_);
    report.supervisions = supervision_names(engine().plan());
    TrainingState counted;
    meter_.read_into(counted);
    reports_.begin(std::move(report), counted, meter_.last_losses(), engine(), *group_);
  }

  /// Tells of steps that are at least so many steps back.
  void finish_reports(std::int64_t steps_back) {
    while (auto report = reports_.finish(state_.step - steps_back, state_)) {
      if (!std::isfinite(state_.loss_sum)) checkpoints_.fail_as_diverged("the loss", state_);
      report->loss = train_loss(state_);
      report->error = train_error(state_);
      for (auto* observer : observers_) observer->on_steps(*report);
      last_report_ = Clock::now();
    }
  }

  /// Says which modules each rank has trained.
  void name_stages(std::vector<RankReport>& ranks) {
    if (!has_stages()) return;
    const auto& first = engine().stages().first_modules;
    for (std::size_t stage = 0; stage < ranks.size(); ++stage) {
      ranks[stage].first_module = static_cast<std::int64_t>(first[stage]) + 1;
      ranks[stage].last_module = static_cast<std::int64_t>(
          stage + 1 < first.size() ? first[stage + 1] : engine().plan().partition.size());
    }
  }

  /// Between two reports, for people.
  void report_progress() {
    const StepReport report = step_report(has_stages() ? state_ : meter_.peek(state_));
    for (auto* observer : observers_) observer->on_progress(report);
    last_report_ = Clock::now();
  }

  /// \param state with the sums of the epoch so far.
  StepReport step_report(const TrainingState& state) const {
    StepReport report;
    report.epoch = state_.epoch + 1;
    report.batch = state_.batch;
    report.step = state_.step;
    report.learning_rate = learning_rate_;
    report.loss = train_loss(state);
    report.error = train_error(state);
    report.images_per_second = images_per_second();
    const std::int64_t steps_left = steps_in_all() - batches_done();
    report.seconds_left =
        state_.seconds / static_cast<double>(state_.step) * static_cast<double>(steps_left);
    report.data_wait = data_wait();
    return report;
  }

  TrainSummary summarise(bool complete) {
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
    summary.images_per_second = images_per_second();
    summary.peak_bytes = state_.peak_bytes;
    summary.peak_by_kind = peak_by_kind_;
    summary.test_error = undefined_number;
    summary.test_loss = undefined_number;
    if (!complete) return summary;
    if (summary.reported == "best") load_best(summary);
    take_same_weights();
    const auto loader = make_plain_loader(settings_, data_, data_.test,
                                          share_of(test_images_, group_), skip_report());
    const Score test = evaluate(test_predictor(), *loader, should_stop_, group_);
    if (test.stopped) {
      summary.complete = false;
      return summary;
    }
    summary.test_error = test.error;
    summary.test_loss = test.loss;
    const Score of_average = evaluate_average(test_predictor(), *loader);
    summary.complete = !of_average.stopped;
    summary.average_test_error = of_average.error;
    return summary;
  }

  /// Takes the weights of the epoch with the lowest validation error, for testing.
  void load_best(TrainSummary& summary) {
    if (is_first(group_)) read_best(summary);
    if (group_ == nullptr) return;
    share(backbone().named_parameters(), "the weights of the best epoch");
    share(backbone().named_buffers(), "the weights of the best epoch");
  }

  void read_best(TrainSummary& summary) {
    const Checkpoint best = read_checkpoint(best_checkpoint(folder_));
    load(best, backbone());
    if (average_) average_->set_state(best.file.tensors);
    summary.reported_epoch = state_.best_epoch;
    summary.validation_error = percent(best.info.state.validation_error);
    summary.average_validation_error = percent(best.info.state.average_validation_error);
  }

  std::optional<WeightAverage> make_average() const {
    const auto& options = settings_.get<WeightAverageOptions>();
    if (!options.enabled) return std::nullopt;
    return WeightAverage(backbone(), options);
  }

  /// \throws UserError where labels cannot be mixed: pictures are mixed already, or a loss needs
  ///         classes.
  std::optional<TeacherTable> make_teacher() const {
    const auto& options = settings_.get<TeacherOptions>();
    if (options.share == 0) return std::nullopt;
    const auto& augment = settings_.get<AugmentOptions>();
    if (augment.enabled && (augment.mixup > 0 || augment.cutmix > 0)) {
      throw UserError(
          "teacher.share above 0 does not go with augment.mixup and augment.cutmix: the table "
          "knows probabilities of single pictures only; accepted: both 0, or teacher.share = 0");
    }
    return TeacherTable(data_.train->size(), backbone().classes(), device_);
  }

  /// Of the moving average of the weights; of no image where there is none.
  Score evaluate_average(const Predictor& predict, Loader& loader) {
    Score none;
    none.error = undefined_number;
    if (!average_) return none;
    const AveragedWeightsScope averaged(*average_);
    return evaluate(predict, loader, should_stop_, group_);
  }

  Settings settings_;
  ProcessGroup* group_;
  const RunOptions& run_;
  DataSource data_;
  fs::path folder_;
  torch::Device device_;
  std::int64_t bytes_before_;
  Split split_;
  std::vector<std::int64_t> test_images_;
  PhasedEngine phases_;
  std::unique_ptr<Loader> train_loader_;
  std::unique_ptr<Loader> validation_loader_;
  std::optional<WeightAverage> average_;
  std::optional<TeacherTable> teacher_;
  EpochMeter meter_;
  RunCheckpoints checkpoints_;
  TrainingEnd end_;
  Clock::time_point last_report_ = Clock::now();
  TrainingState state_;
  std::function<bool()> should_stop_;
  std::function<bool()> should_save_;
  double learning_rate_ = 0;
  std::deque<JointDecision> decisions_;
  StageReports reports_;
  std::int64_t shared_step_ = -1;  ///< after which all stages' weights were given to all
  std::int64_t own_peak_ = 0;      ///< of this process, since it began
  double share_ = 1;               ///< of the last step's batch that this process had
  bool time_is_over_ = false;      ///< of several processes, as agreed at the last step
  std::int64_t steps_here_ = 0;    ///< in this process
  Traffic traffic_before_;
  double waited_ = 0;         ///< seconds of the epoch spent waiting for batches
  double epoch_seconds_ = 0;  ///< in all, since the epoch began or was gone on with
  measure::BytesByKind peak_by_kind_{};
};

Trainer::Trainer(const Settings& settings, const DataSource& data, fs::path folder,
                 ProcessGroup* group)
    : implementation_(std::make_unique<Implementation>(settings, data, std::move(folder), group)) {}
Trainer::~Trainer() = default;

void Trainer::add_observer(TrainObserver& observer) {
  implementation_->observers_.push_back(&observer);
}
void Trainer::resume(const Checkpoint& checkpoint) {
  implementation_->resume(checkpoint);
}
TrainSummary Trainer::run(const std::function<bool()>& should_stop,
                          const std::function<bool()>& should_save) {
  return implementation_->run(should_stop, should_save);
}
RunReport Trainer::report() const {
  return implementation_->report();
}
Engine& Trainer::engine() {
  return implementation_->engine();
}

}  // namespace mlaan

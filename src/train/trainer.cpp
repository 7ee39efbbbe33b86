// The trainer: epochs of steps, validation, checkpoints, and a summary at the end.
#include "core/undefined_number.h"
#include "measure/timing.h"
#include "train/best_checkpoint.h"
#include "train/divergence.h"
#include "train/epoch_meter.h"
#include "train/own_plan.h"
#include "train/resumed_settings.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/learning_rate.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <optional>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

constexpr const char* checkpoint_folder = "checkpoints";

/// An error of the state's: −1 stands for none.
double percent(double error) {
  return error < 0 ? undefined_number : error;
}

std::string epoch_file(std::int64_t epoch) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "epoch-%04lld.safetensors",
                static_cast<long long>(epoch));
  return name.data();
}

}  // namespace

fs::path last_checkpoint(const fs::path& run_folder) {
  return run_folder / checkpoint_folder / "last.safetensors";
}

class Trainer::Implementation {
 public:
  Implementation(Config& config, const DataSource& data, fs::path folder)
      : config_(config),
        run_(config.get<RunOptions>()),
        data_(data),
        folder_(std::move(folder)),
        device_(parse_device(run_.device)),
        bytes_before_(measure::read_memory(device_).live),
        split_(split_training_set(data.train->size(), config.get<ValidationOptions>().fraction,
                                  run_.train_limit, static_cast<std::uint64_t>(run_.seed))),
        engine_(make_engine(config, data, folder_)),
        train_loader_(make_train_loader(config, data, split_.train, skip_report())),
        validation_loader_(
            make_plain_loader(config, data, data.train, split_.validation, skip_report())),
        meter_(engine_),
        save_period_(Period::parse(config.get<SaveOptions>().every)) {
    if (split_.train.empty()) {
      throw UserError("validation.fraction leaves no image to train on");
    }
    if (split_.validation.empty() && config.get<ValidationOptions>().report == "best") {
      throw UserError(
          "validation.report = \"best\" needs validation images; validation.fraction "
          "leaves none");
    }
  }

  RunReport report() const {
    RunReport report;
    report.method = run_.method;
    report.model = run_.model;
    report.dataset = run_.dataset;
    report.modules = static_cast<std::int64_t>(engine_.plan().partition.size());
    report.window = static_cast<std::int64_t>(longest_window(engine_.plan()));
    report.batch = run_.batch_size;
    report.epochs = run_.epochs;
    report.batches_per_epoch = train_loader_->batches_per_epoch();
    report.train_images = static_cast<std::int64_t>(split_.train.size());
    report.validation_images = static_cast<std::int64_t>(split_.validation.size());
    report.test_images = data_.test->size();
    report.parameters = element_count(engine_.backbone().named_parameters());
    report.auxiliary_parameters = element_count(engine_.named_parameters()) - report.parameters;
    report.steps_done = state_.step;
    report.class_names = data_.classes;
    return report;
  }

  void resume(const Checkpoint& checkpoint) {
    check_goes_on(checkpoint, config_, data_);
    TrainingState state = checkpoint.info.state;
    settle_best(checkpoint, folder_, config_.get<ValidationOptions>().report == "best", state);
    load(checkpoint, engine_);
    state_ = state;
  }

  TrainSummary run(const std::function<bool()>& should_stop) {
    fs::create_directories(folder_ / checkpoint_folder);
    remove_abandoned_parts(folder_);
    remove_abandoned_parts(folder_ / checkpoint_folder);
    write_text(folder_ / "config.toml", config_.to_toml());
    write_text(folder_ / "plan.toml",
               plan_text(describe(engine_.plan(), engine_.backbone()), engine_.backbone()));
    for (auto* observer : observers_) observer->on_start(report());
    bool stopped = false;
    while (!stopped && state_.epoch < run_.epochs) {
      stopped = !train_epoch(should_stop);
      if (!stopped) finish_epoch();
    }
    if (stopped) save("last.safetensors");
    TrainSummary summary = summarise(/*complete=*/!stopped);
    for (auto* observer : observers_) observer->on_end();
    return summary;
  }

  std::vector<TrainObserver*> observers_;
  Engine& engine() { return engine_; }

 private:
  static Engine make_engine(Config& config, const DataSource& data, const fs::path& folder) {
    settle_memory_format(config, data);
    check_precision_pays(config, data);
    Backbone backbone = make_backbone(config, data);
    Plan plan = make_plan(config, backbone, method_of_run(config, folder));
    return Engine(std::move(backbone), std::move(plan), make_engine_options(config));
  }

  Predictor predictor() {
    return [this](const torch::Tensor& images) { return engine_.predict(images); };
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

  /// \return false if it was stopped.
  bool train_epoch(const std::function<bool()>& should_stop) {
    const std::int64_t batches = train_loader_->batches_per_epoch();
    some_images_ = torch::Tensor();
    measure::reset_peak(device_);
    train_loader_->start(state_.epoch, state_.batch);
    const std::int64_t log_steps = config_.get<LogOptions>().steps;
    last_save_ = Clock::now();
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
      learning_rate_ = learning_rate({batches_done(), batches, run_.epochs}, run_.lr,
                                     config_.get<ScheduleOptions>());
      engine_.set_learning_rate(learning_rate_);
      meter_.add(engine_.step(batch->images, batch->labels), batch->labels);
      ++state_.step;
      ++state_.batch;
      state_.images += batch->labels.size(0);
      const bool stop = should_stop && should_stop();
      const bool save_now = save_is_due();
      if (stop || save_now || state_.batch == batches) keep_some(batch->images);
      if (stop || state_.step % log_steps == 0 || state_.batch == batches) {
        meter_.read_into(state_);
        pause_clock();
        report_steps();
      }
      if (stop) {
        note_peak();
        return false;
      }
      if (save_now) {
        meter_.read_into(state_);
        pause_clock();
        note_peak();
        save("last.safetensors");
        some_images_ = torch::Tensor();
        measure::reset_peak(device_);
        start = Clock::now();
      }
    }
    note_peak();
    return true;
  }

  /// How far training has come, in batches of the present size. Steps do not say: those before a
  /// run was gone on with may have been of another.
  std::int64_t batches_done() const {
    return state_.epoch * train_loader_->batches_per_epoch() + state_.batch;
  }

  /// Keeps what refuse_divergence() looks at.
  void keep_some(const torch::Tensor& images) {
    constexpr std::int64_t enough = 8;
    some_images_ = images.narrow(0, 0, std::min(enough, images.size(0))).clone();
  }

  bool save_is_due() {
    if (save_period_.unit == Period::Unit::epochs) return false;
    // At the end of an epoch the epoch's own checkpoint follows.
    if (state_.batch == train_loader_->batches_per_epoch()) return false;
    if (save_period_.unit == Period::Unit::minutes) {
      return seconds_since(last_save_) >= 60 * save_period_.count;
    }
    return state_.step % std::max<std::int64_t>(1, std::llround(save_period_.count)) == 0;
  }

  void finish_epoch() {
    const Score validation = evaluate(predictor(), *validation_loader_);
    EpochReport report;
    report.epoch = state_.epoch + 1;
    report.step = state_.step;
    report.learning_rate = learning_rate_;
    report.train_loss = train_loss();
    report.train_error = train_error();
    report.validation_loss = validation.loss;
    report.validation_error = validation.error;
    report.images_per_second = images_per_second();
    report.seconds = state_.seconds;
    report.data_wait = data_wait();
    report.peak_bytes = state_.peak_bytes;

    state_.train_error = report.train_error;
    if (validation.images > 0) state_.validation_error = validation.error;
    ++state_.epoch;
    state_.batch = 0;
    state_.loss_sum = 0;
    state_.errors = 0;
    state_.samples = 0;
    const bool best = validation.images > 0 &&
                      (state_.best_epoch == 0 || validation.error < state_.best_validation_error);
    if (best) {
      state_.best_validation_error = validation.error;
      state_.best_epoch = state_.epoch;
    }
    // Observers first: what they wrote of an epoch that a kill keeps from being saved is cut off
    // again when the run goes on.
    for (auto* observer : observers_) observer->on_epoch(report);
    if (best) save("best.safetensors");
    save_epoch();
  }

  void save_epoch() {
    const bool due =
        save_period_.unit != Period::Unit::epochs || state_.epoch == run_.epochs ||
        state_.epoch % std::max<std::int64_t>(1, std::llround(save_period_.count)) == 0;
    if (due) save("last.safetensors");
    const std::int64_t keep = config_.get<SaveOptions>().keep;
    if (keep > 0) {
      save(epoch_file(state_.epoch));
      fs::remove(folder_ / checkpoint_folder / epoch_file(state_.epoch - keep));
    }
  }

  /// What has diverged must not take the place of the last good checkpoint.
  void refuse_divergence() {
    if (checked_step_ == state_.step) return;
    const std::string what =
        std::isfinite(state_.loss_sum) ? what_is_not_finite(engine_, some_images_) : "the loss";
    if (!what.empty()) fail_as_diverged(what);
    checked_step_ = state_.step;
  }

  [[noreturn]] void fail_as_diverged(const std::string& what) const {
    const fs::path last = last_checkpoint(folder_);
    throw Error("training diverged: " + what + " is not finite after step " +
                std::to_string(state_.step) + "; try a lower lr, or a longer " +
                "schedule.warmup_epochs" +
                (fs::exists(last) ? "; " + last.string() + " is as it was before" : ""));
  }

  void save(const std::string& file) {
    refuse_divergence();
    const fs::path path = folder_ / checkpoint_folder / file;
    CheckpointInfo info;
    info.config = config_.to_toml();
    info.model = run_.model;
    info.classes = engine_.backbone().classes();
    info.image_shape = data_.image_shape;
    info.class_names = data_.classes;
    info.train_images = data_.train->size();
    info.normalisation = data_.normalisation;
    info.framing_share = data_.framing.share;
    info.state = state_;
    write_checkpoint(path, engine_, info);
    last_save_ = Clock::now();
    for (auto* observer : observers_) observer->on_checkpoint(path);
  }

  void note_peak() {
    const auto reading = measure::read_memory(device_);
    const std::int64_t peak = reading.peak - bytes_before_;
    if (peak <= state_.peak_bytes) return;
    state_.peak_bytes = peak;
    peak_by_kind_ = reading.peak_by_kind;
  }

  double images_per_second() const {
    return state_.seconds > 0 ? static_cast<double>(state_.images) / state_.seconds : 0;
  }
  double data_wait() const { return epoch_seconds_ > 0 ? waited_ / epoch_seconds_ : 0; }
  double train_loss() const {
    return state_.samples > 0 ? state_.loss_sum / static_cast<double>(state_.samples)
                              : undefined_number;
  }
  double train_error() const {
    return state_.samples > 0
               ? 100 * static_cast<double>(state_.errors) / static_cast<double>(state_.samples)
               : undefined_number;
  }

  void report_steps() {
    if (!std::isfinite(state_.loss_sum)) fail_as_diverged("the loss");
    StepReport report;
    report.epoch = state_.epoch + 1;
    report.batch = state_.batch;
    report.step = state_.step;
    report.learning_rate = learning_rate_;
    report.loss = train_loss();
    report.error = train_error();
    report.images_per_second = images_per_second();
    const std::int64_t steps_left =
        run_.epochs * train_loader_->batches_per_epoch() - batches_done();
    report.seconds_left =
        state_.seconds / static_cast<double>(state_.step) * static_cast<double>(steps_left);
    report.data_wait = data_wait();
    report.losses = meter_.last_losses();
    for (auto* observer : observers_) observer->on_steps(report);
  }

  TrainSummary summarise(bool complete) {
    TrainSummary summary;
    summary.run = report();
    summary.complete = complete;
    summary.reported = config_.get<ValidationOptions>().report;
    summary.reported_epoch = state_.epoch;
    summary.train_error = percent(state_.train_error);
    summary.validation_error = percent(state_.validation_error);
    summary.seconds = state_.seconds;
    summary.images_per_second = images_per_second();
    summary.peak_bytes = state_.peak_bytes;
    summary.peak_by_kind = peak_by_kind_;
    summary.test_error = undefined_number;
    summary.test_loss = undefined_number;
    if (!complete) return summary;
    if (summary.reported == "best") {
      load(read_checkpoint(folder_ / checkpoint_folder / "best.safetensors"), engine_.backbone());
      summary.reported_epoch = state_.best_epoch;
      summary.validation_error = state_.best_validation_error;
    }
    const auto loader =
        make_plain_loader(config_, data_, data_.test, all_indices(*data_.test), skip_report());
    const Score test = evaluate(predictor(), *loader);
    summary.test_error = test.error;
    summary.test_loss = test.loss;
    return summary;
  }

  Config& config_;
  const RunOptions& run_;
  DataSource data_;
  fs::path folder_;
  torch::Device device_;
  std::int64_t bytes_before_;
  Split split_;
  Engine engine_;
  std::unique_ptr<Loader> train_loader_;
  std::unique_ptr<Loader> validation_loader_;
  EpochMeter meter_;
  Period save_period_;
  Clock::time_point last_save_ = Clock::now();
  TrainingState state_;
  torch::Tensor some_images_;       ///< of the last batch, while a checkpoint may follow
  std::int64_t checked_step_ = -1;  ///< the step after which nothing was found to have diverged
  double learning_rate_ = 0;
  double waited_ = 0;         ///< seconds of the epoch spent waiting for batches
  double epoch_seconds_ = 0;  ///< in all, since the epoch began or was gone on with
  measure::BytesByKind peak_by_kind_{};
};

Trainer::Trainer(Config& config, const DataSource& data, fs::path folder)
    : implementation_(std::make_unique<Implementation>(config, data, std::move(folder))) {}
Trainer::~Trainer() = default;

void Trainer::add_observer(TrainObserver& observer) {
  implementation_->observers_.push_back(&observer);
}
void Trainer::resume(const Checkpoint& checkpoint) {
  implementation_->resume(checkpoint);
}
TrainSummary Trainer::run(const std::function<bool()>& should_stop) {
  return implementation_->run(should_stop);
}
RunReport Trainer::report() const {
  return implementation_->report();
}
Engine& Trainer::engine() {
  return implementation_->engine();
}

}  // namespace mlaan

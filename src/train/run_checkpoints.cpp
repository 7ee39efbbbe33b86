// The checkpoints that a run writes: when they are due, and a check for divergence before each.
#include "train/run_checkpoints.h"

#include "train/divergence.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>
#include <mlaan/train/trainer.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

std::string epoch_file(std::int64_t epoch) {
  std::array<char, 64> name{};
  std::snprintf(name.data(), name.size(), "epoch-%04lld.safetensors",
                static_cast<long long>(epoch));
  return name.data();
}

std::int64_t whole(double count) {
  return std::max<std::int64_t>(1, std::llround(count));
}

}  // namespace

RunCheckpoints::RunCheckpoints(const Settings& settings, const DataSource& data,
                               fs::path run_folder)
    : settings_(settings),
      data_(data),
      folder_(last_checkpoint(run_folder).parent_path()),
      period_(Period::parse(settings.get<SaveOptions>().every)) {}

void RunCheckpoints::make_folder() const {
  fs::create_directories(folder_);
  remove_abandoned_parts(folder_.parent_path());
  remove_abandoned_parts(folder_);
}

bool RunCheckpoints::is_due_after_step(const TrainingState& state) const {
  return period_.unit == Period::Unit::steps && state.step % whole(period_.count) == 0;
}

bool RunCheckpoints::is_due_by_time() const {
  return period_.unit == Period::Unit::minutes && seconds_since(last_) >= 60 * period_.count;
}

bool RunCheckpoints::are_due(std::int64_t epoch) const {
  return period_.unit != Period::Unit::epochs || epoch == settings_.get<RunOptions>().epochs ||
         epoch % whole(period_.count) == 0;
}

void RunCheckpoints::begin_epoch() {
  forget_images();
  last_ = Clock::now();
}

void RunCheckpoints::keep_some(const torch::Tensor& images) {
  constexpr std::int64_t enough = 8;
  some_images_ = images.narrow(0, 0, std::min(enough, images.size(0))).clone();
}

fs::path RunCheckpoints::write(const std::string& file, Engine& engine, const TrainingState& state,
                               const std::vector<NamedTensor>& more) {
  refuse_divergence(engine, state);
  CheckpointInfo info;
  info.config = settings_.to_toml();
  info.model = settings_.get<RunOptions>().model;
  info.classes = engine.backbone().classes();
  info.image_shape = data_.image_shape;
  info.class_names = data_.classes;
  info.train_images = data_.train->size();
  info.normalisation = data_.normalisation;
  info.framing_share = data_.framing.share;
  info.state = state;
  write_checkpoint(folder_ / file, engine, info, more);
  return folder_ / file;
}

void RunCheckpoints::note_written(const TrainingState& state) {
  last_ = Clock::now();
  written_step_ = state.step;
}

std::string RunCheckpoints::file_of_epoch(std::int64_t epoch) const {
  return settings_.get<SaveOptions>().keep > 0 ? epoch_file(epoch) : "";
}

void RunCheckpoints::remove_outdated(std::int64_t epoch) const {
  fs::remove(folder_ / epoch_file(epoch - settings_.get<SaveOptions>().keep));
}

void RunCheckpoints::refuse_divergence(Engine& engine, const TrainingState& state) {
  if (checked_step_ == state.step) return;
  const std::string what =
      std::isfinite(state.loss_sum) ? what_is_not_finite(engine, some_images_) : "the loss";
  if (!what.empty()) fail_as_diverged(what, state);
  checked_step_ = state.step;
}

void RunCheckpoints::fail_as_diverged(const std::string& what, const TrainingState& state) const {
  const fs::path last = folder_ / last_checkpoint("").filename();
  throw Error("training diverged: " + what + " is not finite after step " +
              std::to_string(state.step) + "; try a lower lr, or a longer " +
              "schedule.warmup_epochs" +
              (fs::exists(last) ? "; " + last.string() + " is unchanged" : ""));
}

}  // namespace mlaan

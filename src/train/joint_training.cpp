// What several processes that train one network agree on and sum up.
#include "train/joint_training.h"

#include <mlaan/core/error.h>
#include <mlaan/core/random.h>
#include <mlaan/data/picture.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/stage_split.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace mlaan {

std::vector<std::int64_t> share_of(const std::vector<std::int64_t>& all,
                                   const ProcessGroup* group) {
  if (group == nullptr) return all;
  const auto count = static_cast<std::int64_t>(all.size());
  const auto begin = all.begin() + count * group->rank() / group->size();
  const auto end = all.begin() + count * (group->rank() + 1) / group->size();
  return {begin, end};
}

bool any_of_all(bool own, ProcessGroup* group, const std::string& what) {
  return group == nullptr ? own : group->highest(own ? 1 : 0, what) > 0;
}

void by_first(ProcessGroup* group, const std::function<void()>& work, const std::string& what) {
  if (group == nullptr) {
    work();
  } else {
    group->wait_for_first(work, what);
  }
}

Settings settled_by_first(const Settings& settings, ProcessGroup* group,
                          const std::vector<std::string>& keys,
                          const std::function<Settings(const Settings&)>& settle,
                          const std::string& what) {
  if (group == nullptr) return settle(settings);
  Settings own = settings;
  group->wait_for_first([&] { own = settle(settings); }, what);
  std::vector<Assignment> changes;
  for (const auto& key : keys) {
    const std::string value = to_toml(own.value(key));
    const std::string settled = group->broadcast(value, what);
    if (settled != value) changes.emplace_back(key, settled);
  }
  return own.with(changes, "rank 0: " + what);
}

void check_ranks(const Settings& settings, const ProcessGroup* group) {
  const auto& dist = settings.get<DistOptions>();
  const std::int64_t there = group == nullptr ? 1 : group->size();
  if (dist.processes != there) {
    throw UserError(
        "dist.processes = " + std::to_string(dist.processes) + ", but " +
        (there == 1 ? "one process trains" : std::to_string(there) + " train") +
        "; mlaan train, compare and bench start that many, other commands train in one");
  }
  if (dist.stages == 1 || dist.stages == there) return;
  const std::string count = std::to_string(there);
  throw UserError("dist.stages = " + std::to_string(dist.stages) + " in " + count +
                  (there == 1 ? " process" : " processes") +
                  ": each stage is one process; accepted: 1" + (there == 1 ? "" : ", or " + count));
}

Settings measured_by_first(const Settings& settings, const DataSource& data,
                           const MethodEntry& method, ProcessGroup* group) {
  check_ranks(settings, group);
  return settled_by_first(
      settings, group, {"engine.memory_format", "engine.check_precision", "dist.split"},
      [&](const Settings& asked) {
        return with_stage_split(measured_settings(asked, data), data, method);
      },
      "measuring which is faster");
}

JointDecision::JointDecision(ProcessGroup* group, std::function<Wishes()> wishes)
    : wishes_(std::move(wishes)) {
  if (group == nullptr) return;
  const Wishes own = wishes_();
  votes_ = torch::tensor({static_cast<int>(own.stop), static_cast<int>(own.save),
                          static_cast<int>(own.save_by_time), static_cast<int>(own.end)},
                         torch::kInt32);
  exchange_ = group->start_sum(votes_, "the decision whether to go on");
}

Wishes JointDecision::wait() {
  if (!exchange_) return wishes_();
  exchange_->wait();
  const auto* votes = votes_.data_ptr<int>();
  return {votes[0] > 0, votes[1] > 0, votes[2] > 0, votes[3] > 0};
}

std::vector<double> counts_as_numbers(const TrainingState& counted) {
  return {counted.loss_sum, static_cast<double>(counted.errors),
          static_cast<double>(counted.samples)};
}

const double* add_counts(TrainingState& state, const double* numbers) {
  state.loss_sum += *numbers++;
  state.errors += static_cast<std::int64_t>(*numbers++);
  state.samples += static_cast<std::int64_t>(*numbers++);
  return numbers;
}

void add_counts(TrainingState& state, const TrainingState& counted, ProcessGroup& group) {
  auto sums = torch::tensor(counts_as_numbers(counted), torch::kFloat64);
  group.sum(sums, "the sum of losses");
  add_counts(state, sums.data_ptr<double>());
}

std::vector<double> joint_losses(const std::vector<double>& own, double share,
                                 ProcessGroup* group) {
  if (group == nullptr) return own;
  const auto losses = torch::tensor(own, torch::kFloat64).mul_(share);
  group->sum(losses, "the sum of losses");
  return {losses.data_ptr<double>(), losses.data_ptr<double>() + losses.numel()};
}

Traffic traffic_since(const ProcessGroup* group, const Traffic& before) {
  if (group == nullptr) return {};
  const Traffic now = group->traffic();
  return {now.bytes - before.bytes, now.seconds - before.seconds};
}

std::vector<RankReport> rank_reports(ProcessGroup* group, const Traffic& spent,
                                     std::int64_t peak_bytes, std::int64_t steps) {
  if (group == nullptr) return {};
  const std::int64_t bytes = spent.bytes / std::max<std::int64_t>(1, steps);
  const auto texts = group->gather(std::to_string(peak_bytes) + " " + std::to_string(bytes) + " " +
                                       std::to_string(spent.seconds),
                                   "the end of the training");
  std::vector<RankReport> reports;
  for (std::size_t r = 0; r < texts.size(); ++r) {
    RankReport report;
    report.name = group->name_of(static_cast<int>(r));
    std::istringstream(texts[r]) >> report.peak_bytes >> report.bytes_per_step >>
        report.seconds_waited;
    reports.push_back(std::move(report));
  }
  return reports;
}

std::string fingerprint(const Dataset& dataset) {
  const std::int64_t size = dataset.size();
  std::uint64_t key = 0;
  for (const std::int64_t index : {std::int64_t{0}, size / 2, size - 1}) {
    if (index < 0 || index >= size) continue;
    try {
      const Sample sample = dataset.get(index);
      const auto image = sample.image.contiguous();
      const std::string bytes(static_cast<const char*>(image.data_ptr()), image.nbytes());
      key = random_key({key, random_key(bytes), static_cast<std::uint64_t>(sample.label)});
    } catch (const DamagedPicture&) {
      key = random_key({key});
    }
  }
  return std::to_string(size) + " images, " + std::to_string(key);
}

}  // namespace mlaan

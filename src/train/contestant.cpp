// A method whose steps a benchmark measures, in one process or in several.
#include "train/contestant.h"

#include "measure/timing.h"
#include "train/joint_run.h"

#include <mlaan/local/method.h>
#include <mlaan/measure/cost.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mlaan {
namespace {

constexpr std::int64_t timed_steps_of_stages = 4;

/// Copies the batch into the engine's memory format once, so that no step has to.
Batch laid_out(const Batch& batch, torch::MemoryFormat format) {
  const measure::MemoryKindScope kind(measure::MemoryKind::data);
  return {batch.images.contiguous(format), batch.labels, {}, batch.whole_size};
}

std::int64_t whole_size(const Batch& batch) {
  return std::max(batch.whole_size, batch.labels.size(0));
}

}  // namespace

bool is_reference(const MethodSpec& spec) {
  return spec.method == reference_method() && spec.settings.empty();
}

Contestant::Contestant(TrainingPhase phase, const DataSource& data, const Batch& batch,
                       const MethodSpec& spec, ProcessGroup* group)
    : settings_(std::move(phase.settings)),
      group_(group),
      batch_(laid_out(batch, memory_format(settings_))),
      device_(batch.images.device()),
      bytes_before_(measure::read_memory(device_).live),
      engine_(make_engine(data, phase.method, is_reference(spec))) {
  if (group != nullptr) {
    engine_.set_batch_share(static_cast<double>(batch.labels.size(0)) /
                            static_cast<double>(whole_size(batch)));
  }
  result_.spec = spec;
  result_.phase = phase.name;
  result_.share = phase.share();
  result_.model = settings_.get<RunOptions>().model;
  result_.device = settings_.get<RunOptions>().device;
  result_.modules = static_cast<std::int64_t>(engine_.plan().partition.size());
  result_.window = static_cast<std::int64_t>(longest_window(engine_.plan()));
  result_.batch = whole_size(batch);
  result_.parameters = element_count(engine_.backbone().named_parameters());
  result_.auxiliary_parameters = element_count(engine_.named_parameters()) - result_.parameters;
}

BenchmarkResult Contestant::measure_bytes_and_work() {
  // The first step allocates the optimizers' state; the second already runs with it.
  run_steps(2);
  measure::reset_peak(device_);
  const std::int64_t steps = steps_that_show_all();
  run_steps(steps);
  const auto reading = measure::read_memory(device_);
  result_.peak_bytes = reading.peak - bytes_before_;
  result_.peak_by_kind = reading.peak_by_kind;
  const measure::MultiplyAddCounter counter;
  run_steps(steps);
  const std::int64_t counted = sum_of_all(counter.count());
  const std::int64_t executed = sum_of_all(counter.executed());
  result_.multiply_adds = counted / result_.batch / steps;
  result_.executed_multiply_adds = executed / result_.batch / steps;
  return result_;
}

double Contestant::step_seconds() {
  const std::int64_t steps = steps_ahead() > 0 ? timed_steps_of_stages : 1;
  if (group_ != nullptr) group_->highest(0, "the beginning of a timed step");
  for (std::int64_t i = 0; i < steps_ahead(); ++i) engine_.step(batch_.images, batch_.labels);
  const Traffic before = group_ == nullptr ? Traffic() : group_->traffic();
  const auto start = Clock::now();
  for (std::int64_t i = 0; i < steps; ++i) engine_.step(batch_.images, batch_.labels);
  wait_for(device_);
  const double seconds = seconds_since(start) / static_cast<double>(steps);
  if (group_ == nullptr) return seconds;
  const Traffic spent = traffic_since(group_, before);
  traffic_.bytes += spent.bytes;
  traffic_.seconds += spent.seconds;
  timed_steps_ += steps;
  engine_.finish_steps();
  constexpr double nano = 1e-9;
  return nano * static_cast<double>(group_->highest(std::llround(seconds / nano), "a step's time"));
}

Traffic Contestant::traffic_of_step() const {
  const std::int64_t steps = std::max<std::int64_t>(1, timed_steps_);
  return {traffic_.bytes / steps, traffic_.seconds / static_cast<double>(steps)};
}

StepProfile Contestant::profile(std::int64_t steps) {
  StepProfile profile = profile_step(engine_, batch_.images, batch_.labels, steps, bytes_before_);
  profile.method = result_.spec.text;
  if (!result_.phase.empty()) profile.method += ", phase " + result_.phase;
  return profile;
}

void Contestant::run_steps(std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) engine_.step(batch_.images, batch_.labels);
  wait_for(device_);
  if (steps_ahead() > 0) engine_.finish_steps();
}

std::int64_t Contestant::steps_ahead() const {
  const std::int64_t stages = settings_.get<DistOptions>().stages;
  return group_ == nullptr || stages == 1 ? 0 : stages;
}

std::int64_t Contestant::steps_that_show_all() const {
  const auto& supervisions = engine_.plan().supervisions;
  const bool random =
      std::any_of(supervisions.begin(), supervisions.end(),
                  [](const Supervision& supervision) { return supervision.probability < 1; });
  return std::max<std::int64_t>(random ? 10 : 1, steps_ahead() + 1);
}

std::int64_t Contestant::sum_of_all(std::int64_t number) const {
  if (group_ == nullptr) return number;
  const auto sum = torch::tensor({number}, torch::kInt64);
  group_->sum(sum, "the sum of multiply-adds");
  return sum.item<std::int64_t>();
}

Engine Contestant::make_engine(const DataSource& data, const MethodEntry& method,
                               bool is_reference) const {
  Backbone backbone = make_backbone(settings_, data);
  Plan plan = is_reference ? make_bare_plan(settings_, backbone, method)
                           : make_plan(settings_, backbone, method);
  EngineOptions options = make_engine_options(settings_);
  if (group_ != nullptr) JointRun(settings_, group_).join(options, plan);
  return Engine(std::move(backbone), std::move(plan), std::move(options));
}

}  // namespace mlaan

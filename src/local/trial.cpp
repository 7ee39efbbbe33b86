// A trial: steps a plan on a few images to predict the memory and time of a step on many.
#include "measure/timing.h"

#include <mlaan/core/random.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/trial.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/probe.h>

#include <algorithm>
#include <utility>

namespace mlaan {
namespace {

constexpr std::int64_t smaller_batch = 2;
constexpr std::int64_t larger_batch = 4;
constexpr std::int64_t timed_batch = 32;
constexpr int timed_steps = 3;

/// The plan with every supervision evaluated in every step, at its highest weight.
Plan at_its_fullest(Plan plan) {
  for (auto& supervision : plan.supervisions) {
    supervision.probability = 1;
    supervision.weight = highest_weight(supervision);
    supervision.course = WeightCourse::constant;
  }
  return plan;
}

std::vector<double> probabilities_of(const Plan& plan) {
  std::vector<double> probabilities;
  probabilities.reserve(plan.supervisions.size());
  for (const auto& supervision : plan.supervisions) {
    probabilities.push_back(supervision.probability);
  }
  return probabilities;
}

EngineOptions of_trial(EngineOptions options) {
  options.device = torch::kCPU;
  options.micro_batches = 1;
  return options;
}

}  // namespace

Trial::Trial(Backbone backbone, Plan plan, EngineOptions options)
    : probabilities_(probabilities_of(plan)),
      memory_format_(options.memory_format),
      engine_(std::move(backbone), at_its_fullest(std::move(plan)), of_trial(std::move(options))) {
  step(smaller_batch);  // makes the optimizers' state
  for (const auto& part : engine_.parts()) gradient_bytes_ += byte_count(part.parameters);
  resting_bytes_ = byte_count(engine_.named_parameters()) + byte_count(engine_.named_buffers()) +
                   byte_count(optimizer_state(engine_.parts()));
  record();
}

void Trial::set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets) {
  engine_.set_recompute(std::move(modules), std::move(nets));
  record();
}

void Trial::step(std::int64_t images) {
  const DefaultGeneratorGuard generator(torch::kCPU);
  seed_default_generator(torch::kCPU, 0);
  torch::Tensor batch;
  torch::Tensor labels;
  {
    const measure::MemoryKindScope kind(measure::MemoryKind::data);
    batch = torch::randn(batch_shape(images, engine_.backbone().input_shape(0)));
    if (batch.dim() == 4) batch = batch.contiguous(memory_format_);
    labels = torch::randint(engine_.backbone().classes(), {images}, torch::kInt64);
  }
  engine_.step(batch, labels);
}

Trial::Recording Trial::record_step(std::int64_t images) {
  const measure::AllocationRecorder recorder;
  Recording recording;
  engine_.set_observer([&](const Operation&) { recording.ends.push_back(recorder.size()); });
  step(images);
  engine_.set_observer(nullptr);
  recording.trace = recorder.take();
  recording.ends.push_back(recording.trace.size());
  return recording;
}

void Trial::record() {
  modules_.clear();
  for (const auto& operation : engine_.schedule().operations) {
    modules_.push_back(operation->module());
  }
  modules_.push_back(engine_.plan().partition.size() - 1);
  smaller_ = record_step(smaller_batch);
  larger_ = record_step(larger_batch);
}

std::vector<OperationPeak> Trial::peaks(std::int64_t batch, std::int64_t micro_batches) const {
  const std::int64_t part = (batch + micro_batches - 1) / micro_batches;
  const auto levels = measure::levels(
      measure::extrapolate(smaller_.trace, smaller_batch, larger_.trace, larger_batch, part));
  // With several micro-batches, gradients of all parts live until the update at the end.
  const std::int64_t always = resting_bytes_ + (micro_batches > 1 ? gradient_bytes_ : 0);
  std::vector<OperationPeak> peaks;
  std::size_t event = 0;
  std::int64_t level = 0;
  for (std::size_t i = 0; i < modules_.size(); ++i) {
    std::int64_t highest = level;
    for (; event < larger_.ends[i]; ++event) {
      level = levels[event];
      highest = std::max(highest, level);
    }
    peaks.push_back({modules_[i], always + highest});
  }
  return peaks;
}

std::int64_t Trial::peak_bytes(std::int64_t batch, std::int64_t micro_batches) const {
  std::int64_t highest = 0;
  for (const auto& peak : peaks(batch, micro_batches)) highest = std::max(highest, peak.bytes);
  return highest;
}

std::int64_t Trial::largest_batch(std::int64_t bytes) const {
  std::int64_t fits = 0;
  std::int64_t too_large = 1;
  while (too_large < (std::int64_t{1} << 24) && peak_bytes(too_large) <= bytes) {
    fits = too_large;
    too_large *= 2;
  }
  while (too_large - fits > 1) {
    const std::int64_t middle = fits + (too_large - fits) / 2;
    (peak_bytes(middle) <= bytes ? fits : too_large) = middle;
  }
  return fits;
}

double Trial::seconds(std::int64_t batch, std::int64_t bytes) {
  const std::int64_t images =
      std::max(larger_batch, std::min({batch, timed_batch, largest_batch(bytes)}));
  const auto& schedule = engine_.schedule();
  double fastest = 0;
  // The first step warms up.
  for (int i = 0; i <= timed_steps; ++i) {
    double sum = 0;
    auto last = Clock::now();
    engine_.set_observer([&](const Operation& operation) {
      const auto evaluation = operation.evaluation();
      const double share =
          evaluation ? probabilities_[schedule.evaluations[*evaluation].supervisions.front()] : 1;
      sum += share * seconds_since(last);
      last = Clock::now();
    });
    step(images);
    if (i == 1 || (i > 1 && sum < fastest)) fastest = sum;
  }
  engine_.set_observer(nullptr);
  return fastest * static_cast<double>(batch) / static_cast<double>(images);
}

std::vector<double> Trial::operation_seconds(std::int64_t batch, std::int64_t most_images) {
  const std::int64_t images = std::max(larger_batch, std::min(batch, most_images));
  const auto& schedule = engine_.schedule();
  std::vector<double> fastest(schedule.operations.size(), 0);
  // The first step warms up.
  for (int i = 0; i <= timed_steps; ++i) {
    std::size_t index = 0;
    auto last = Clock::now();
    engine_.set_observer([&](const Operation& operation) {
      const auto evaluation = operation.evaluation();
      const double share =
          evaluation ? probabilities_[schedule.evaluations[*evaluation].supervisions.front()] : 1;
      const double passed = share * seconds_since(last);
      double& known = fastest[index++];
      if (i == 1 || (i > 1 && passed < known)) known = passed;
      last = Clock::now();
    });
    step(images);
  }
  engine_.set_observer(nullptr);
  for (double& seconds : fastest) {
    seconds *= static_cast<double>(batch) / static_cast<double>(images);
  }
  return fastest;
}

}  // namespace mlaan

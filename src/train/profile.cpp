// Profiles a training step: time and bytes by operation.
#include "measure/timing.h"

#include <mlaan/measure/allocation_trace.h>
#include <mlaan/train/profile.h>

#include <algorithm>
#include <map>
#include <utility>

namespace mlaan {
namespace {

/// The blocks that are alive at the peak of a step's trace, by the operation that allocated them.
/// \param ends for each operation, the number of events until its end.
std::vector<AliveBlocks> alive_at_peak(const measure::AllocationTrace& trace,
                                       const std::vector<std::size_t>& ends,
                                       const std::vector<OperationProfile>& operations,
                                       std::int64_t bytes_before_step) {
  const auto levels = measure::levels(trace);
  if (levels.empty()) return {};
  const auto peak =
      static_cast<std::size_t>(std::max_element(levels.begin(), levels.end()) - levels.begin());
  std::map<const void*, std::pair<std::size_t, std::int64_t>> alive;  // operation and bytes
  std::size_t operation = 0;
  for (std::size_t event = 0; event <= peak; ++event) {
    while (operation + 1 < ends.size() && event >= ends[operation]) ++operation;
    const auto& [block, bytes] = trace[event];
    if (bytes > 0) {
      alive[block] = {operation, bytes};
    } else if (alive.erase(block) == 0) {
      bytes_before_step += bytes;
    }
  }
  std::vector<AliveBlocks> result{{"before the step", bytes_before_step, {}}};
  for (std::size_t n = 0; n < operations.size(); ++n) {
    AliveBlocks entry{operations[n].name, 0, {}};
    for (const auto& [block, allocation] : alive) {
      if (allocation.first != n) continue;
      entry.bytes += allocation.second;
      entry.blocks.push_back(allocation.second);
    }
    std::sort(entry.blocks.rbegin(), entry.blocks.rend());
    if (entry.bytes > 0) result.push_back(std::move(entry));
  }
  return result;
}

/// Takes one step while every allocation is recorded.
std::vector<AliveBlocks> trace_step(Engine& engine, const torch::Tensor& images,
                                    const torch::Tensor& labels, std::int64_t bytes_before,
                                    const std::vector<OperationProfile>& operations) {
  if (!images.device().is_cpu()) return {};
  const std::int64_t live = measure::read_memory(images.device()).live - bytes_before;
  const measure::AllocationRecorder recorder;
  std::vector<std::size_t> ends;
  engine.set_observer([&](const Operation&) { ends.push_back(recorder.size()); });
  engine.step(images, labels);
  engine.set_observer(nullptr);
  return alive_at_peak(recorder.take(), ends, operations, live);
}

/// Describes an operation that has just run, without its time.
OperationProfile profile_of(const Operation& operation, torch::Device device,
                            std::int64_t bytes_before) {
  OperationProfile entry;
  entry.name = operation.text();
  entry.phase = to_string(operation.activity());
  entry.module = static_cast<std::int64_t>(operation.module()) + 1;
  const auto reading = measure::read_memory(device);
  entry.live_bytes = reading.live - bytes_before;
  entry.peak_bytes = reading.peak - bytes_before;
  entry.peak_by_kind = reading.peak_by_kind;
  return entry;
}

/// Sets each operation's time to the median over the steps.
/// \param seconds indexed by operation, then by step.
void set_times(std::vector<OperationProfile>& operations,
               const std::vector<std::vector<double>>& seconds) {
  double begin = 0;
  for (std::size_t i = 0; i < operations.size(); ++i) {
    operations[i].seconds = median(seconds[i]);
    operations[i].begin_seconds = begin;
    begin += operations[i].seconds;
  }
}

}  // namespace

StepProfile profile_step(Engine& engine, const torch::Tensor& images, const torch::Tensor& labels,
                         std::int64_t steps, std::int64_t bytes_before) {
  const torch::Device device = images.device();
  // The first step allocates the optimizers' state.
  engine.step(images, labels);
  engine.step(images, labels);

  StepProfile profile;
  std::vector<std::vector<double>> seconds;
  std::vector<double> whole;
  for (std::int64_t step = 0; step < steps; ++step) {
    std::size_t count = 0;
    wait_for(device);
    const auto begin = Clock::now();
    auto last = begin;
    measure::reset_peak(device);
    engine.set_observer([&](const Operation& operation) {
      wait_for(device);
      const double passed = seconds_since(last);
      if (step == 0) {
        profile.operations.push_back(profile_of(operation, device, bytes_before));
        seconds.emplace_back();
      }
      seconds.at(count++).push_back(passed);
      measure::reset_peak(device);
      last = Clock::now();
    });
    engine.step(images, labels);
    wait_for(device);
    whole.push_back(seconds_since(begin));
  }
  engine.set_observer(nullptr);
  profile.alive_at_peak = trace_step(engine, images, labels, bytes_before, profile.operations);
  profile.seconds = median(whole);
  set_times(profile.operations, seconds);
  return profile;
}

}  // namespace mlaan

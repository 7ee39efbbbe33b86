// Measures steps of several methods in turn: time, bytes and multiply-adds.
#include "measure/timing.h"
#include "train/competition.h"
#include "train/joint_training.h"

#include <mlaan/train/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

namespace mlaan {
namespace {

constexpr const char* what_is_agreed = "the decision whether to go on";

/// A method in the layout that is measured, and on rank 0 the same in one process, if it is to be
/// compared with that.
struct Entrant {
  std::size_t spec = 0;
  std::unique_ptr<Contestant> joint;
  std::unique_ptr<Contestant> alone;
};

/// Seconds of each method's steps in each round, in the layout and in one process.
struct RoundTimes {
  std::vector<std::vector<double>> joint;
  std::vector<std::vector<double>> alone;
};

/// Only rounds in which every method took its step count.
RoundTimes time_rounds(const std::vector<Entrant>& entrants, const BenchmarkOptions& options,
                       const std::function<void(const std::string&)>& progress,
                       const std::function<bool()>& should_stop, ProcessGroup* group) {
  RoundTimes times{std::vector<std::vector<double>>(entrants.size()),
                   std::vector<std::vector<double>>(entrants.size())};
  for (std::int64_t round = -options.warmup; round < options.repeats; ++round) {
    progress(round < 0
                 ? "warm-up"
                 : "round " + std::to_string(round + 1) + " of " + std::to_string(options.repeats));
    std::vector<double> joint;
    std::vector<double> alone(entrants.size(), 0);
    for (std::size_t i = 0; i < entrants.size(); ++i) {
      if (any_of_all(should_stop && should_stop(), group, what_is_agreed)) return times;
      joint.push_back(entrants[i].joint->step_seconds());
      if (group == nullptr || !options.beside_one_process) continue;
      group->wait_for_first([&] { alone[i] = entrants[i].alone->step_seconds(); },
                            "a step in one process");
    }
    if (round < 0) continue;
    for (std::size_t i = 0; i < entrants.size(); ++i) {
      times.joint[i].push_back(joint[i]);
      times.alone[i].push_back(alone[i]);
    }
  }
  return times;
}

void set_times(BenchmarkResult& result, const std::vector<double>& seconds) {
  result.steps = static_cast<std::int64_t>(seconds.size());
  result.step_seconds = median(seconds);
  result.step_seconds_lowest = *std::min_element(seconds.begin(), seconds.end());
  result.step_seconds_highest = *std::max_element(seconds.begin(), seconds.end());
  result.images_per_second = static_cast<double>(result.batch) / result.step_seconds;
}

/// The ranks' and one process's peaks of a method with phases are those of its largest phases.
void take_higher(BenchmarkResult& whole, const BenchmarkResult& phase) {
  for (std::size_t r = 0; r < whole.ranks.size(); ++r) {
    whole.ranks[r].peak_bytes = std::max(whole.ranks[r].peak_bytes, phase.ranks[r].peak_bytes);
  }
  whole.one_process_peak_bytes =
      std::max(whole.one_process_peak_bytes, phase.one_process_peak_bytes);
}

/// The result of a method with phases: multiply-adds averaged over the training, the highest peak.
BenchmarkResult together(std::vector<BenchmarkResult> parts) {
  if (parts.size() == 1) return parts.front();
  BenchmarkResult whole = parts.front();
  whole.phase.clear();
  whole.share = 1;
  double multiply_adds = 0;
  double executed = 0;
  for (const auto& phase : parts) {
    multiply_adds += phase.share * static_cast<double>(phase.multiply_adds);
    executed += phase.share * static_cast<double>(phase.executed_multiply_adds);
    whole.window = std::max(whole.window, phase.window);
    whole.auxiliary_parameters = std::max(whole.auxiliary_parameters, phase.auxiliary_parameters);
    take_higher(whole, phase);
    if (phase.peak_bytes <= whole.peak_bytes) continue;
    whole.peak_bytes = phase.peak_bytes;
    whole.peak_by_kind = phase.peak_by_kind;
  }
  whole.multiply_adds = std::llround(multiply_adds);
  whole.executed_multiply_adds = std::llround(executed);
  whole.phases = std::move(parts);
  return whole;
}

/// The step times of a method, averaged over its phases in each round.
std::vector<double> average_seconds(const std::vector<std::vector<double>>& seconds,
                                    const std::vector<double>& shares) {
  std::vector<double> average(seconds.front().size(), 0);
  for (std::size_t p = 0; p < seconds.size(); ++p) {
    for (std::size_t round = 0; round < average.size(); ++round) {
      average[round] += shares[p] * seconds[p][round];
    }
  }
  return average;
}

/// The median of the ratios within each round: a shared machine's speed changes between rounds.
double median_ratio(const std::vector<double>& seconds, const std::vector<double>& reference) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < seconds.size(); ++round) {
    ratios.push_back(seconds[round] / reference[round]);
  }
  return median(std::move(ratios));
}

/// Sets a result's ratios to the reference, and those of its phases. \param seconds of its steps.
void compare_with_reference(BenchmarkResult& result, const std::vector<double>& seconds,
                            const BenchmarkResult& reference,
                            const std::vector<double>& reference_seconds) {
  result.reference = reference.spec.text;
  result.time_ratio = median_ratio(seconds, reference_seconds);
  result.peak_ratio =
      static_cast<double>(result.peak_bytes) / static_cast<double>(reference.peak_bytes);
  result.multiply_add_ratio =
      static_cast<double>(result.multiply_adds) / static_cast<double>(reference.multiply_adds);
}

/// Sets times and ratios. \param seconds of each phase of each method, in order.
void set_times(std::vector<BenchmarkResult>& results,
               const std::vector<std::vector<double>>& seconds) {
  std::vector<std::vector<double>> averages;
  std::size_t next = 0;
  for (auto& result : results) {
    std::vector<std::vector<double>> of_phases;
    std::vector<double> shares;
    const std::size_t count = std::max<std::size_t>(1, result.phases.size());
    for (std::size_t p = 0; p < count; ++p) {
      of_phases.push_back(seconds[next++]);
      shares.push_back(result.phases.empty() ? 1 : result.phases[p].share);
      if (!result.phases.empty()) set_times(result.phases[p], of_phases.back());
    }
    averages.push_back(average_seconds(of_phases, shares));
    set_times(result, averages.back());
  }
  const auto found =
      std::find_if(results.begin(), results.end(),
                   [](const BenchmarkResult& result) { return is_reference(result.spec); });
  const BenchmarkResult reference = *found;
  const auto& reference_seconds = averages[static_cast<std::size_t>(found - results.begin())];
  next = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    compare_with_reference(results[i], averages[i], reference, reference_seconds);
    for (auto& phase : results[i].phases) {
      compare_with_reference(phase, seconds[next++], reference, reference_seconds);
    }
    if (results[i].phases.empty()) ++next;
  }
}

/// Bytes and multiply-adds of all methods; empty if it was stopped.
std::vector<BenchmarkResult> bytes_and_work(const Competition& competition,
                                            const std::function<void(const std::string&)>& progress,
                                            const std::function<bool()>& should_stop,
                                            ProcessGroup* group, bool beside_one_process) {
  std::vector<std::vector<BenchmarkResult>> phases(competition.specs().size());
  auto alone = competition.has_one_process() ? competition.phases_alone() : std::vector<SpecPhase>{};
  std::size_t number = 0;
  for (auto& entered : competition.phases()) {
    if (any_of_all(should_stop && should_stop(), group, what_is_agreed)) return {};
    const std::size_t spec = entered.spec;
    progress("bytes and multiply-adds of " +
             phase_text(competition.specs()[spec].text, entered.phase));
    BenchmarkResult result = competition.enter(std::move(entered)).measure_bytes_and_work();
    result.ranks = rank_reports(group, {}, result.peak_bytes, 1);
    if (group != nullptr && beside_one_process) {
      group->wait_for_first(
          [&] {
            result.one_process_peak_bytes = competition.enter_alone(std::move(alone[number]))
                                                .measure_bytes_and_work()
                                                .peak_bytes;
          },
          "the peak of one process");
    }
    ++number;
    phases[spec].push_back(std::move(result));
  }
  std::vector<BenchmarkResult> results;
  for (auto& of_spec : phases) results.push_back(together(std::move(of_spec)));
  return results;
}

std::vector<Entrant> all_entrants(const Competition& competition) {
  std::vector<Entrant> entrants;
  for (auto& entered : competition.phases()) {
    const std::size_t spec = entered.spec;
    entrants.push_back(
        {spec, std::make_unique<Contestant>(competition.enter(std::move(entered))), {}});
  }
  if (!competition.has_one_process()) return entrants;
  std::size_t number = 0;
  for (auto& entered : competition.phases_alone()) {
    entrants[number++].alone =
        std::make_unique<Contestant>(competition.enter_alone(std::move(entered)));
  }
  return entrants;
}

/// Sets what each rank sent and waited for, and how many times faster all are than one process.
void set_layout_costs(std::vector<BenchmarkResult>& results, const std::vector<Entrant>& entrants,
                      const RoundTimes& times, ProcessGroup* group) {
  if (group == nullptr) return;
  for (std::size_t r = 0; r < results.size(); ++r) {
    BenchmarkResult& result = results[r];
    std::vector<double> shares;
    std::vector<std::vector<double>> joint;
    std::vector<std::vector<double>> alone;
    for (std::size_t i = 0; i < entrants.size(); ++i) {
      if (entrants[i].spec != r) continue;
      shares.push_back(result.phases.empty() ? 1 : result.phases[shares.size()].share);
      joint.push_back(times.joint[i]);
      alone.push_back(times.alone[i]);
      const auto sent = rank_reports(group, entrants[i].joint->traffic_of_step(), 0, 1);
      for (std::size_t rank = 0; rank < sent.size(); ++rank) {
        auto& report = result.ranks[rank];
        report.bytes_per_step = std::max(report.bytes_per_step, sent[rank].bytes_per_step);
        report.seconds_waited += shares.back() * sent[rank].seconds_waited;
      }
    }
    const auto seconds = average_seconds(joint, shares);
    result.one_process_step_seconds = median(average_seconds(alone, shares));
    result.one_process_time_ratio = median_ratio(average_seconds(alone, shares), seconds);
  }
}

}  // namespace

std::vector<BenchmarkResult> run_benchmark(const Settings& asked, const BenchmarkOptions& options,
                                           const std::function<void(const std::string&)>& progress,
                                           const std::function<bool()>& should_stop,
                                           ProcessGroup* group) {
  const Competition competition(asked, options, progress, group);
  auto results =
      bytes_and_work(competition, progress, should_stop, group, options.beside_one_process);
  if (results.empty()) return {};
  const auto entrants = all_entrants(competition);
  const auto times = time_rounds(entrants, options, progress, should_stop, group);
  if (times.joint.front().empty()) return {};
  set_times(results, times.joint);
  set_layout_costs(results, entrants, times, group);
  return results;
}

std::vector<StepProfile> run_profiles(const Settings& asked, const BenchmarkOptions& options,
                                      const std::function<void(const std::string&)>& progress) {
  const Competition competition(asked, options, progress, nullptr);
  std::vector<StepProfile> profiles;
  for (auto& entered : competition.phases()) {
    progress("profile of " + phase_text(competition.specs()[entered.spec].text, entered.phase));
    profiles.push_back(competition.enter(std::move(entered)).profile(options.repeats));
  }
  return profiles;
}

}  // namespace mlaan

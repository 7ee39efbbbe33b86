// Steps of several methods side by side: time, bytes, multiply-adds.
#pragma once

#include <mlaan/measure/memory.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/profile.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

struct BenchmarkOptions {
  /// What to compare, as MethodSpec::parse() reads it. The reference method is added in front if it
  /// is not there without settings of its own.
  std::vector<std::string> methods;
  std::int64_t warmup = 2;   ///< steps of each method that do not count
  std::int64_t repeats = 7;  ///< steps of each method that do
};

/// One method's step. Of a method with phases: its time and multiply-adds on average over the
/// training, and the bytes of its fattest phase.
struct BenchmarkResult {
  MethodSpec spec;
  std::string phase;                    ///< the phase that this is of; "" for the whole method
  double share = 1;                     ///< of the training
  std::vector<BenchmarkResult> phases;  ///< none for a method without
  std::string model;
  std::string device;  ///< "cpu"
  std::int64_t modules = 0;
  std::int64_t window = 0;  ///< the most modules that a supervision spans
  std::int64_t batch = 0;
  std::int64_t steps = 0;   ///< that were timed, one in each round
  double step_seconds = 0;  ///< median
  double step_seconds_lowest = 0;
  double step_seconds_highest = 0;
  double images_per_second = 0;  ///< of the median step
  std::int64_t peak_bytes = 0;   ///< of a step, everything but the batch itself counted
  measure::BytesByKind peak_by_kind{};
  std::int64_t multiply_adds = 0;           ///< of a step's operators as defined, for one image
  std::int64_t executed_multiply_adds = 0;  ///< of what is called in their place, for one image
  std::int64_t parameters = 0;              ///< of the backbone
  std::int64_t auxiliary_parameters = 0;
  double time_ratio = 0;  ///< to the reference method, median of the rounds' ratios
  double peak_ratio = 0;  ///< to the reference method
  double multiply_add_ratio =
      0;  ///< to the reference method: the time that the work alone predicts
};

/// Measures on one batch of the run's training set. The reference method recomputes nothing,
/// whatever the run's options say: that would make another method of it. Between steps a method
/// holds parameters and optimizer state alone, so that many fit side by side. First each method by
/// itself: the bytes of its third step, and the multiply-adds of its fourth (where chance decides
/// what a step evaluates, the peak of ten steps and the mean of ten more). Then all of them in
/// turn, one step of each, the warm-up and then the repeats, so that a machine whose speed drifts
/// drifts for all alike.
/// \param progress called with a line of text before each part.
/// \param should_stop asked before each part and each timed step. If it says so, the results are
///        those of the rounds that all methods have done; none where there is no such round.
std::vector<BenchmarkResult> run_benchmark(const Settings& settings,
                                           const BenchmarkOptions& options,
                                           const std::function<void(const std::string&)>& progress,
                                           const std::function<bool()>& should_stop = {});

/// The profile of a step of each method, one method after the other.
std::vector<StepProfile> run_profiles(const Settings& settings, const BenchmarkOptions& options,
                                      const std::function<void(const std::string&)>& progress);

}  // namespace mlaan

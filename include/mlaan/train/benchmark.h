// Benchmarks: steps of several methods side by side, by time, bytes and multiply-adds.
#pragma once

#include <mlaan/measure/memory.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/observer.h>
#include <mlaan/train/profile.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;

struct BenchmarkOptions {
  /// Method specs, see MethodSpec::parse(). The reference method is added in front unless it is
  /// listed without settings of its own.
  std::vector<std::string> methods;
  std::int64_t warmup = 2;   ///< untimed steps of each method
  std::int64_t repeats = 7;  ///< timed steps of each method
  /// Whether several processes are compared with one of them, which takes the whole batch.
  bool beside_one_process = false;
};

/// The cost of one method's step. For a method with phases: time and multiply-adds averaged over
/// the training, bytes of its largest phase.
struct BenchmarkResult {
  MethodSpec spec;
  std::string phase;  ///< name of the phase; "" for a whole method
  double share = 1;   ///< fraction of the training that the phase has
  /// Results of its phases; empty for a method without phases.
  std::vector<BenchmarkResult> phases;
  std::string model;
  std::string device;  ///< "cpu"
  std::int64_t modules = 0;
  std::int64_t window = 0;  ///< most modules that a supervision spans
  std::int64_t batch = 0;   ///< images a step
  std::int64_t steps = 0;   ///< timed steps, one in each round
  double step_seconds = 0;  ///< median
  double step_seconds_lowest = 0;
  double step_seconds_highest = 0;
  double images_per_second = 0;  ///< at the median step time
  std::int64_t peak_bytes = 0;   ///< of a step, without the batch itself
  measure::BytesByKind peak_by_kind{};
  std::int64_t multiply_adds = 0;  ///< of the step's operators, for one image
  /// Of the kernels that run in their place, for one image.
  std::int64_t executed_multiply_adds = 0;
  std::int64_t parameters = 0;            ///< of the backbone
  std::int64_t auxiliary_parameters = 0;  ///< of the auxiliary nets
  std::string reference;                  ///< the reference method, which the ratios are to
  double time_ratio = 0;                  ///< to the reference method, median of the rounds' ratios
  double peak_ratio = 0;                  ///< to the reference method
  /// To the reference method: the time ratio that the multiply-adds alone predict.
  double multiply_add_ratio = 0;
  /// In several processes: the costs of a step of each. `peak_bytes` above is rank 0's.
  std::vector<RankReport> ranks;
  /// Of one process with the whole batch; 0 unless several are compared with it.
  double one_process_step_seconds = 0;
  double one_process_time_ratio = 0;  ///< to all processes, median of the rounds' ratios
  std::int64_t one_process_peak_bytes = 0;
};

/// Measures on one batch of the run's training set. The reference method recomputes nothing,
/// whatever the run's options say: with recomputation it would be another method. Between steps a
/// method holds only parameters and optimizer state, so that many methods fit into memory side by
/// side. Each method is first measured by itself: the peak bytes of its third step and the
/// multiply-adds of its fourth (if supervisions are evaluated at random, the peak of ten steps and
/// the mean of ten more). Then all methods take turns, one step each per round, warm-up rounds
/// first, so that a machine whose speed drifts affects all methods alike.
/// \param progress called with a line of text before each part.
/// \param should_stop polled before each part and each timed step. If true, the results are those
///         of the complete rounds; none if there is no complete round.
/// \param group of processes that take the steps together, in the layout that the settings say; all
///        of them call this function, and get the same results. Time is that of the slowest; with
///        stages, of a step while all are busy.
/// \throws UserError for a batch larger than the training set.
std::vector<BenchmarkResult> run_benchmark(const Settings& settings,
                                           const BenchmarkOptions& options,
                                           const std::function<void(const std::string&)>& progress,
                                           const std::function<bool()>& should_stop = {},
                                           ProcessGroup* group = nullptr);

/// The profile of a step of each method, one method after the other.
std::vector<StepProfile> run_profiles(const Settings& settings, const BenchmarkOptions& options,
                                      const std::function<void(const std::string&)>& progress);

}  // namespace mlaan

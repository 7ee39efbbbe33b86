// The runs of a comparison summed up per method: errors over seeds, and costs.
#pragma once

#include <mlaan/train/comparison.h>
#include <mlaan/train/paired_test.h>
#include <mlaan/train/step_costs.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace mlaan {

/// Multiply-adds of a forward pass, for one training image.
struct ForwardWork {
  std::int64_t backbone = 0;  ///< backbone and head
  double nets = 0;            ///< auxiliary nets; expected value if they are evaluated at random
};

/// Counts without recomputation; averaged over the phases of a method that has them.
/// \param settings of one method.
ForwardWork forward_work(const Settings& settings, const DataSource& data);

/// Statistics of a number over several seeds.
struct Spread {
  double mean = 0;        ///< NaN without seeds
  double deviation = 0;   ///< sample standard deviation; NaN with fewer than two
  double half_width = 0;  ///< of the mean's 95 % confidence interval; NaN with fewer than two
};

/// The finished runs of one spec, compared with those of the first spec.
struct ComparedMethod {
  MethodSpec spec;
  std::vector<std::int64_t> seeds;  ///< of the finished runs
  std::int64_t modules = 0;
  std::int64_t window = 0;  ///< most modules that a supervision spans
  std::int64_t epochs = 0;
  Spread validation_error;  ///< per cent
  Spread test_error;        ///< per cent
  /// The same errors for the moving average of the weights; NaN without one.
  Spread average_validation_error;
  Spread average_test_error;
  /// Like test_difference, for the moving average of the weights.
  std::optional<PairedTest> average_test_difference;
  /// Difference to the first spec, over the seeds that both have; empty for the first spec itself.
  std::optional<PairedTest> validation_difference;
  std::optional<PairedTest> test_difference;
  std::int64_t parameters = 0;  ///< of the backbone
  std::int64_t auxiliary_parameters = 0;
  ForwardWork work;
  std::int64_t peak_bytes = 0;   ///< highest over the seeds
  double images_per_second = 0;  ///< mean over the seeds
  double seconds = 0;            ///< of training, mean over the seeds
  // Ratios to the first spec; NaN if it has no finished run.
  double parameter_ratio = 0;  ///< of backbone and nets together
  double work_ratio = 0;       ///< of `work`, backbone and nets together
  double peak_ratio = 0;       ///< of `peak_bytes`
  double speed_ratio = 0;      ///< of `images_per_second`
  double time_ratio = 0;       ///< of `seconds`
  /// Ratios of single steps measured side by side, see set_step_costs(); NaN if not measured.
  double step_time_ratio = std::numeric_limits<double>::quiet_NaN();
  double step_peak_ratio = std::numeric_limits<double>::quiet_NaN();
};

/// Sets the step ratios from measured costs, relative to the first method.
void set_step_costs(std::vector<ComparedMethod>& methods, const std::vector<StepCost>& costs);

/// The methods in the order of the specs of `runs`; specs without a finished run are left out.
/// \param work of each spec, in the same order.
std::vector<ComparedMethod> compare_methods(const std::vector<ComparedRun>& runs,
                                            const std::vector<FinishedRun>& finished,
                                            const std::vector<ForwardWork>& work);

/// The distinct specs of `runs`, in order.
std::vector<MethodSpec> specs_of(const std::vector<ComparedRun>& runs);

}  // namespace mlaan

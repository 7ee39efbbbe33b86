// What the runs of a comparison say side by side: errors over seeds, and costs.
#pragma once

#include <mlaan/train/comparison.h>
#include <mlaan/train/paired_test.h>
#include <mlaan/train/step_costs.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace mlaan {

/// What a forward pass of one training image costs.
struct ForwardWork {
  std::int64_t backbone = 0;  ///< multiply-adds
  double nets = 0;            ///< of the auxiliary nets; where chance decides, on average
};

/// Without what recomputation repeats; of a method with phases on average over them. \param
/// settings of one method.
ForwardWork forward_work(const Settings& settings, const DataSource& data);

/// Numbers of several seeds.
struct Spread {
  double mean = 0;        ///< NaN where there is none
  double deviation = 0;   ///< of the sample; NaN with fewer than two
  double half_width = 0;  ///< of the mean's 95 % confidence interval; NaN with fewer than two
};

/// One spec's runs together, and beside those of the first spec.
struct ComparedMethod {
  MethodSpec spec;
  std::vector<std::int64_t> seeds;  ///< that are finished
  std::int64_t modules = 0;
  std::int64_t window = 0;
  std::int64_t epochs = 0;
  Spread validation_error;  ///< per cent
  Spread test_error;        ///< per cent
  /// The same of the moving averages of the weights; NaN without.
  Spread average_validation_error;
  Spread average_test_error;
  std::optional<PairedTest> average_test_difference;
  /// To the first spec, over the seeds that both have. Of the first itself: nothing.
  std::optional<PairedTest> validation_difference;
  std::optional<PairedTest> test_difference;
  std::int64_t parameters = 0;  ///< of the backbone
  std::int64_t auxiliary_parameters = 0;
  ForwardWork work;
  std::int64_t peak_bytes = 0;   ///< the highest of the seeds
  double images_per_second = 0;  ///< mean over the seeds
  double seconds = 0;            ///< of training, mean over the seeds
  // Ratios to the first spec; NaN where it has no finished run.
  double parameter_ratio = 0;  ///< of backbone and nets together
  double work_ratio = 0;       ///< of backbone and nets together
  double peak_ratio = 0;
  double speed_ratio = 0;
  double time_ratio = 0;
  /// Of a step, where steps were measured side by side; else NaN.
  double step_time_ratio = std::numeric_limits<double>::quiet_NaN();
  double step_peak_ratio = std::numeric_limits<double>::quiet_NaN();
};

/// Notes what steps take, beside the first method's.
void set_step_costs(std::vector<ComparedMethod>& methods, const std::vector<StepCost>& costs);

/// In the order of the specs of `runs`; specs without a finished run are left out.
/// \param work of each spec, in the same order.
std::vector<ComparedMethod> compare_methods(const std::vector<ComparedRun>& runs,
                                            const std::vector<FinishedRun>& finished,
                                            const std::vector<ForwardWork>& work);

/// The specs of `runs`, each once, in order.
std::vector<MethodSpec> specs_of(const std::vector<ComparedRun>& runs);

}  // namespace mlaan

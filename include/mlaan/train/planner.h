// The planner: which settings of a method fit into a number of bytes, and which is fastest.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/settings.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// One way to train, and the predicted cost of its step.
struct PlannedSetting {
  std::string method;
  std::int64_t modules = 0;
  std::string partition;
  std::string recompute = "none";
  std::int64_t micro_batches = 1;
  std::int64_t batch = 0;
  std::int64_t peak_bytes = 0;     ///< of a step, without the batch itself
  double step_seconds = 0;         ///< for the whole batch
  std::int64_t largest_batch = 0;  ///< that fits without micro-batches; 0 without a limit
  bool fits = true;
  // Set by measure_settings():
  std::optional<std::int64_t> measured_peak_bytes;
  std::optional<double> measured_step_seconds;
};

struct PlanReport {
  std::vector<PlannedSetting> settings;
  /// Index of the fastest setting of the requested method among those that fit with the fewest
  /// micro-batches.
  std::optional<std::size_t> chosen;
};

/// Tries, on a few images each, the run's method with several numbers of modules balanced by bytes
/// and with several recomputations; beside it, end-to-end training with and without checkpointing
/// and micro-batches. A number of modules that the run's settings state is kept.
/// \param settings with the memory format decided (see measured_settings.h), because bytes and time
///         depend on it.
/// \param bytes limit for training; 0: none, and the method's lowest peak is searched for instead.
/// \param rivals whether to try other methods than the run's.
/// \param progress called with a line of text before each trial.
PlanReport plan_training(const Settings& settings, const DataSource& data, std::int64_t bytes,
                         bool rivals, const std::function<void(const std::string&)>& progress);

/// Runs steps of every setting on a real batch, as run_benchmark() does, and stores their measured
/// bytes and seconds in the report.
/// \param progress called with a line of text before each part.
void measure_settings(const Settings& settings, PlanReport& report,
                      const std::function<void(const std::string&)>& progress);

/// The settings of a run that trains as planned.
/// \param origin of the changed values: "--memory".
Settings applied(const PlannedSetting& setting, const Settings& settings,
                 const std::string& origin);

}  // namespace mlaan

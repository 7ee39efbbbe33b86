// The planner: which settings of a method fit into a number of bytes, and which of them is fastest.
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

/// One way to train, and what a step of it is predicted to take.
struct PlannedSetting {
  std::string method;
  std::int64_t modules = 0;
  std::string partition;
  std::string recompute = "none";
  std::int64_t micro_batches = 1;
  std::int64_t batch = 0;
  std::int64_t peak_bytes = 0;     ///< everything but the batch counted
  double step_seconds = 0;         ///< of the whole batch
  std::int64_t largest_batch = 0;  ///< that fits in one piece; 0 without a limit
  bool fits = true;
  // Where they were asked for:
  std::optional<std::int64_t> measured_peak_bytes;
  std::optional<double> measured_step_seconds;
};

struct PlanReport {
  std::vector<PlannedSetting> settings;
  /// Of the method asked for, of those that fit into the fewest micro-batches, the fastest.
  std::optional<std::size_t> chosen;
};

/// Tries, on a few images each, the run's method with several numbers of modules balanced by bytes
/// and several recomputations, and end-to-end training with and without checkpointing and
/// micro-batches beside it. What the run's own settings say of modules is kept.
/// \param settings with the memory format settled (see measured_settings.h): bytes and time depend
///        on it.
/// \param bytes limit; 0: none, and the method's lowest peak is looked for instead.
/// \param rivals whether to try other methods than the run's.
/// \param progress called with a line of text before each trial.
PlanReport plan_training(const Settings& settings, const DataSource& data, std::int64_t bytes,
                         bool rivals, const std::function<void(const std::string&)>& progress);

/// Steps every setting on a real batch, as run_benchmark() does, and writes down what that took.
/// \param progress called with a line of text before each part.
void measure_settings(const Settings& settings, PlanReport& report,
                      const std::function<void(const std::string&)>& progress);

/// The settings of a run that trains as planned.
/// \param origin for messages: "--memory".
Settings applied(const PlannedSetting& setting, const Settings& settings,
                 const std::string& origin);

}  // namespace mlaan

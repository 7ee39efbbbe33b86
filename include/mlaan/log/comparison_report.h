// The results of a comparison, for people and for programs.
#pragma once

#include <mlaan/log/scatter_plot.h>
#include <mlaan/train/compared_methods.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// All that is known of a comparison.
struct ComparisonReport {
  std::vector<ComparedRun> runs;  ///< asked for
  std::vector<FinishedRun> finished;
  std::vector<ComparedMethod> methods;  ///< the finished runs, spec by spec
  std::vector<StepCost> step_costs{};     ///< where they were measured

  bool complete() const { return finished.size() == runs.size(); }
};

/// Two tables, one line a spec: errors over the seeds, and costs; then what the columns mean.
std::string comparison_table(const ComparisonReport& report);

/// {"complete": …, "model": …, "methods": [{"method": …, "test_error": {"mean": …, "deviation": …},
/// "test_difference": {"mean": …, "p": …, "pairs": …}, …}], "runs": [{"method": …, "seed": …,
/// "test_error": …, …}]}. Errors are in per cent, `null` where there is none.
void write_comparison(const std::filesystem::path& path, const ComparisonReport& report);

/// What a comparison's plot has on its x axis, as ratios to the first method.
enum class ComparedCost { peak_bytes, training_time };

/// Test errors, with the confidence intervals of their means, against what steps take; needs the
/// report's step costs. Of averaged weights where there are any. Checkpointing stands at
/// end-to-end's error, which it has exactly.
ScatterPlot comparison_plot(const ComparisonReport& report, ComparedCost cost);

/// Step costs as JSON, to be kept beside a comparison and read again.
void write_step_costs(const std::filesystem::path& path, const std::vector<StepCost>& costs);
/// \throws UserError for a file that is none of write_step_costs().
std::vector<StepCost> read_step_costs(const std::filesystem::path& path);

}  // namespace mlaan

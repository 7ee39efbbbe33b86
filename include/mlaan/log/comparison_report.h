// Reports of a comparison, as tables, as JSON and as plots.
#pragma once

#include <mlaan/log/scatter_plot.h>
#include <mlaan/train/compared_methods.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// All that is known of a comparison.
struct ComparisonReport {
  std::vector<ComparedRun> runs;  ///< that were requested
  std::vector<FinishedRun> finished;
  std::vector<ComparedMethod> methods;  ///< the finished runs, summed up per spec
  std::vector<StepCost> step_costs{};   ///< empty if they were not measured

  bool complete() const { return finished.size() == runs.size(); }
};

/// Two tables with one line per spec: errors over the seeds, and costs; then what the columns mean.
std::string comparison_table(const ComparisonReport& report);

/// Writes {"complete": …, "model": …, "methods": [{"method": …, "test_error": {"mean": …,
/// "deviation": …}, "test_difference": {"mean": …, "p": …, "pairs": …}, …}], "runs": [{"method": …,
/// "seed": …, "test_error": …, …}]}. Errors are in per cent, `null` if there are none.
void write_comparison(const std::filesystem::path& path, const ComparisonReport& report);

/// The x axis of a comparison's plot, as ratios to the first method.
enum class ComparedCost { peak_bytes, training_time };

/// Test errors, with the confidence intervals of their means, against the cost of a step; needs the
/// report's step costs. Shows the errors of averaged weights if there are any. Checkpointing is
/// drawn at end-to-end's error, which it has exactly.
ScatterPlot comparison_plot(const ComparisonReport& report, ComparedCost cost);

/// Writes step costs as JSON, to be stored beside a comparison and read again.
void write_step_costs(const std::filesystem::path& path, const std::vector<StepCost>& costs);
/// \throws UserError for a file that write_step_costs() has not written.
std::vector<StepCost> read_step_costs(const std::filesystem::path& path);

}  // namespace mlaan

// The results of a comparison, for people and for programs.
#pragma once

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

  bool complete() const { return finished.size() == runs.size(); }
};

/// Two tables, one line a spec: errors over the seeds, and costs; then what the columns mean.
std::string comparison_table(const ComparisonReport& report);

/// {"complete": …, "model": …, "methods": [{"method": …, "test_error": {"mean": …, "deviation": …},
/// "test_difference": {"mean": …, "p": …, "pairs": …}, …}], "runs": [{"method": …, "seed": …,
/// "test_error": …, …}]}. Errors are in per cent, `null` where there is none.
void write_comparison(const std::filesystem::path& path, const ComparisonReport& report);

}  // namespace mlaan

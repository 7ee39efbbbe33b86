// The logs of a run, read back.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// A curve's name and its points.
struct RecordedCurve {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

struct RunRecord {
  /// The columns of metrics.csv by name: a value for each epoch, NaN for an empty field.
  std::map<std::string, std::vector<double>> epochs;
  /// From steps.jsonl: the loss of each supervision against the step, in the plan's order.
  std::vector<RecordedCurve> losses;

  /// A column against the epoch; without points if there is no such column.
  RecordedCurve curve(const std::string& column, const std::string& name) const;
};

/// Reads the logs in a run's folder. Missing files are ignored, and so are malformed lines, such as
/// the last one of a run that was killed.
RunRecord read_run_record(const std::filesystem::path& run_folder);

}  // namespace mlaan

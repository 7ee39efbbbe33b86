// What a run's logs say of it, read back.
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
  /// Of metrics.csv, by the column's name: a value for each epoch, NaN where the field is empty.
  std::map<std::string, std::vector<double>> epochs;
  /// Of steps.jsonl: the loss of each supervision against the step, in the plan's order.
  std::vector<RecordedCurve> losses;

  /// A column against the epoch; without points where there is no such column.
  RecordedCurve curve(const std::string& column, const std::string& name) const;
};

/// Lines that are no such lines, as the last of a run that was killed, are left out, and so is a
/// file that is not there.
RunRecord read_run_record(const std::filesystem::path& run_folder);

}  // namespace mlaan

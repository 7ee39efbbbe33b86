// Reads back the logs of a run.
#include "core/undefined_number.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/log/run_record.h>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <set>
#include <sstream>
#include <unordered_map>

namespace mlaan {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream text(line);
  for (std::string field; std::getline(text, field, ',');) fields.push_back(field);
  if (!line.empty() && line.back() == ',') fields.emplace_back();
  return fields;
}

void read_epochs(const fs::path& path, RunRecord& record) {
  std::istringstream text(read_text(path));
  std::string line;
  std::getline(text, line);
  const auto names = fields_of(line);
  // With a duplicate column name, that column would have twice as many values as there are lines.
  if (std::set<std::string>(names.begin(), names.end()).size() != names.size()) return;
  while (std::getline(text, line)) {
    const auto fields = fields_of(line);
    if (fields.size() != names.size()) continue;
    for (std::size_t i = 0; i < names.size(); ++i) {
      record.epochs[names[i]].push_back(
          fields[i].empty() ? undefined_number : std::strtod(fields[i].c_str(), nullptr));
    }
  }
}

void read_steps(const fs::path& path, RunRecord& record) {
  std::unordered_map<std::string, std::size_t> places;
  std::istringstream text(read_text(path));
  for (std::string line; std::getline(text, line);) {
    const auto json = ordered_json::parse(line, nullptr, /*allow_exceptions=*/false);
    // Earlier versions wrote the losses as a list without names.
    if (!json.is_object() || !json.contains("step") || !json.contains("losses")) continue;
    const auto& losses = json["losses"];
    if (!losses.is_object() || !json["step"].is_number()) continue;
    for (const auto& item : losses.items()) {
      if (!item.value().is_number()) continue;
      const auto [place, is_new] = places.emplace(item.key(), record.losses.size());
      if (is_new) record.losses.push_back({item.key(), {}});
      record.losses[place->second].points.emplace_back(json["step"].get<double>(),
                                                       item.value().get<double>());
    }
  }
}

}  // namespace

RecordedCurve RunRecord::curve(const std::string& column, const std::string& name) const {
  RecordedCurve curve{name, {}};
  const auto x = epochs.find("epoch");
  const auto y = epochs.find(column);
  if (x == epochs.end() || y == epochs.end()) return curve;
  for (std::size_t i = 0; i < y->second.size(); ++i) {
    curve.points.emplace_back(x->second.at(i), y->second[i]);
  }
  return curve;
}

RunRecord read_run_record(const fs::path& run_folder) {
  RunRecord record;
  if (fs::exists(run_folder / "metrics.csv")) read_epochs(run_folder / "metrics.csv", record);
  if (fs::exists(run_folder / "steps.jsonl")) read_steps(run_folder / "steps.jsonl", record);
  return record;
}

}  // namespace mlaan

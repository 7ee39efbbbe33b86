// Profiles of steps as a table and as a file for trace viewers.
#include "io/json_text.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/profile_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>

namespace mlaan {
namespace {

constexpr std::array<const char*, 5> phases{"forward", "supervise", "recompute", "backward",
                                            "update"};

/// A row of the table: the sums of one module, or of all.
struct Row {
  std::map<std::string, double> seconds;
  std::int64_t peak_bytes = 0;

  void add(const OperationProfile& operation) {
    seconds[operation.phase] += operation.seconds;
    peak_bytes = std::max(peak_bytes, operation.peak_bytes);
  }

  std::vector<std::string> cells(const std::string& name) const {
    std::vector<std::string> cells{name};
    double sum = 0;
    for (const char* phase : phases) {
      const auto found = seconds.find(phase);
      const double value = found == seconds.end() ? 0 : found->second;
      cells.push_back(found == seconds.end() ? "-" : fixed(1000 * value, 2));
      sum += value;
    }
    cells.push_back(fixed(1000 * sum, 2));
    cells.push_back(format_bytes(peak_bytes));
    return cells;
  }
};

/// " (3 × 8.00 MiB, 2 small)"
std::string blocks_text(const AliveBlocks& alive) {
  std::map<std::int64_t, std::size_t, std::greater<>> counts;
  std::size_t small = 0;
  for (const auto bytes : alive.blocks) {
    if (10 * bytes < alive.bytes) {
      ++small;
    } else {
      ++counts[bytes];
    }
  }
  std::string text;
  for (const auto& [bytes, count] : counts) {
    text += (text.empty() ? " (" : ", ") + std::to_string(count) + " × " + format_bytes(bytes);
  }
  if (small > 0) {
    text += (text.empty() ? " (" : ", ") + std::to_string(small) + " small";
  }
  return text.empty() ? text : text + ")";
}

}  // namespace

std::string profile_table(const StepProfile& profile) {
  std::vector<std::string> header{"module"};
  for (const char* phase : phases) header.push_back(std::string(phase) + " ms");
  header.insert(header.end(), {"sum ms", "highest"});
  Table table(header);
  std::map<std::int64_t, Row> modules;
  Row all;
  for (const auto& operation : profile.operations) {
    modules[operation.module].add(operation);
    all.add(operation);
  }
  for (const auto& [module, row] : modules) table.add(row.cells(std::to_string(module)));
  table.add(all.cells("all"));

  const auto peak = std::max_element(
      profile.operations.begin(), profile.operations.end(),
      [](const auto& left, const auto& right) { return left.peak_bytes < right.peak_bytes; });
  std::string text = "  " + profile.method + ", step of " + fixed(1000 * profile.seconds, 1) +
                     " ms\n" + table.to_string();
  if (peak == profile.operations.end()) return text;
  text += "  peak in \"" + peak->name + "\":";
  for (std::size_t kind = 0; kind < peak->peak_by_kind.size(); ++kind) {
    if (peak->peak_by_kind.at(kind) == 0) continue;
    text += std::string(" ") + measure::to_string(static_cast<measure::MemoryKind>(kind)) + " " +
            format_bytes(peak->peak_by_kind.at(kind));
  }
  text += "\n";
  for (const auto& alive : profile.alive_at_peak) {
    text +=
        "    " + format_bytes(alive.bytes) + " of " + alive.operation + blocks_text(alive) + "\n";
  }
  return text;
}

void write_trace(const std::filesystem::path& path, const std::vector<StepProfile>& profiles) {
  nlohmann::ordered_json events = nlohmann::ordered_json::array();
  for (std::size_t process = 0; process < profiles.size(); ++process) {
    const auto& profile = profiles[process];
    events.push_back({{"name", "process_name"},
                      {"ph", "M"},
                      {"pid", process},
                      {"args", {{"name", profile.method}}}});
    for (const auto& operation : profile.operations) {
      const double begin = 1e6 * operation.begin_seconds;
      const double length = 1e6 * operation.seconds;
      events.push_back({{"name", operation.name},
                        {"cat", operation.phase},
                        {"ph", "X"},
                        {"pid", process},
                        {"tid", 0},
                        {"ts", begin},
                        {"dur", length},
                        {"args",
                         {{"module", operation.module},
                          {"live_bytes", operation.live_bytes},
                          {"peak_bytes", operation.peak_bytes}}}});
      events.push_back({{"name", "bytes"},
                        {"ph", "C"},
                        {"pid", process},
                        {"ts", begin},
                        {"args", {{"peak", operation.peak_bytes}}}});
      events.push_back({{"name", "bytes"},
                        {"ph", "C"},
                        {"pid", process},
                        {"ts", begin + length},
                        {"args", {{"peak", operation.live_bytes}}}});
    }
  }
  const nlohmann::ordered_json document{{"traceEvents", std::move(events)},
                                        {"displayTimeUnit", "ms"}};
  write_text(path, json_text(document) + "\n");
}

}  // namespace mlaan

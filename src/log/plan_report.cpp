// The planner's results as a table and as JSON.
#include "io/json_text.h"
#include "train/plan_json.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/plan_report.h>
#include <mlaan/log/table.h>

#include <algorithm>

namespace mlaan {

std::string plan_table(const PlanReport& report) {
  const auto& settings = report.settings;
  const bool limited = std::any_of(settings.begin(), settings.end(), [](const auto& setting) {
    return setting.largest_batch > 0 || !setting.fits;
  });
  const bool measured = std::any_of(settings.begin(), settings.end(), [](const auto& setting) {
    return setting.measured_peak_bytes.has_value();
  });
  std::vector<std::string> header{"",          "method",        "modules", "partition",
                                  "recompute", "micro-batches", "peak",    "step s"};
  if (limited) header.insert(header.end(), {"fits", "largest batch"});
  if (measured) {
    header.insert(header.end(),
                  {"measured peak", "predicted ÷ measured", "measured s", "predicted ÷ measured"});
  }
  Table table(header);
  for (std::size_t i = 0; i < settings.size(); ++i) {
    const auto& setting = settings[i];
    std::vector<std::string> row{report.chosen == i ? "→" : " ",
                                 setting.method,
                                 std::to_string(setting.modules),
                                 setting.partition,
                                 setting.recompute,
                                 std::to_string(setting.micro_batches),
                                 format_bytes(setting.peak_bytes),
                                 fixed(setting.step_seconds, 3)};
    if (limited) {
      row.emplace_back(setting.fits ? "yes" : "no");
      row.push_back(std::to_string(setting.largest_batch));
    }
    if (setting.measured_peak_bytes) {
      row.push_back(format_bytes(*setting.measured_peak_bytes));
      row.push_back(fixed(static_cast<double>(setting.peak_bytes) /
                              static_cast<double>(*setting.measured_peak_bytes),
                          3));
      row.push_back(fixed(*setting.measured_step_seconds, 3));
      row.push_back(fixed(setting.step_seconds / *setting.measured_step_seconds, 2));
    }
    table.add(std::move(row));
  }
  return table.to_string();
}

void write_plan(const std::filesystem::path& path, const PlanReport& report) {
  write_text(path, json_text(to_json(report), 2) + "\n");
}

}  // namespace mlaan

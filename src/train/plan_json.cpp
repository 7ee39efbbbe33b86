// The planner's results as JSON.
#include "train/plan_json.h"

#include <mlaan/core/error.h>

#include <utility>

namespace mlaan {
namespace {

using nlohmann::ordered_json;

ordered_json setting_to_json(const PlannedSetting& setting) {
  ordered_json json{{"method", setting.method},
                    {"modules", setting.modules},
                    {"partition", setting.partition},
                    {"recompute", setting.recompute},
                    {"micro_batches", setting.micro_batches},
                    {"batch", setting.batch},
                    {"peak_bytes", setting.peak_bytes},
                    {"step_seconds", setting.step_seconds},
                    {"largest_batch", setting.largest_batch},
                    {"fits", setting.fits}};
  if (setting.measured_peak_bytes) {
    json["measured_peak_bytes"] = *setting.measured_peak_bytes;
    json["measured_step_seconds"] = *setting.measured_step_seconds;
  }
  return json;
}

PlannedSetting setting_from(const nlohmann::json& json) {
  PlannedSetting setting;
  json.at("method").get_to(setting.method);
  json.at("modules").get_to(setting.modules);
  json.at("partition").get_to(setting.partition);
  json.at("recompute").get_to(setting.recompute);
  json.at("micro_batches").get_to(setting.micro_batches);
  json.at("batch").get_to(setting.batch);
  json.at("peak_bytes").get_to(setting.peak_bytes);
  json.at("step_seconds").get_to(setting.step_seconds);
  json.at("largest_batch").get_to(setting.largest_batch);
  json.at("fits").get_to(setting.fits);
  return setting;
}

}  // namespace

ordered_json to_json(const PlanReport& report) {
  ordered_json document;
  document["settings"] = ordered_json::array();
  for (const auto& setting : report.settings) {
    document["settings"].push_back(setting_to_json(setting));
  }
  document["chosen"] = nullptr;
  if (report.chosen) document["chosen"] = *report.chosen;
  return document;
}

PlanReport plan_report_from(const nlohmann::json& document) {
  PlanReport report;
  for (const auto& setting : document.at("settings")) {
    report.settings.push_back(setting_from(setting));
  }
  const auto& chosen = document.at("chosen");
  if (chosen.is_null()) return report;
  report.chosen = chosen.get<std::size_t>();
  if (*report.chosen >= report.settings.size()) {
    throw UserError("the plan that it chose is not there");
  }
  return report;
}

}  // namespace mlaan

// What the planner found, as JSON.
#pragma once

#include <mlaan/train/planner.h>

#include <nlohmann/json.hpp>

namespace mlaan {

/// {"settings": […], "chosen": place of one of them, or null}.
nlohmann::ordered_json to_json(const PlanReport& report);

/// Reads what to_json() writes, but for what was measured.
/// \throws nlohmann::json::exception, and UserError for a place that is none.
PlanReport plan_report_from(const nlohmann::json& document);

}  // namespace mlaan

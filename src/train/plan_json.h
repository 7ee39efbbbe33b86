// The planner's results as JSON.
#pragma once

#include <mlaan/train/planner.h>

#include <nlohmann/json.hpp>

namespace mlaan {

/// {"settings": […], "chosen": index of the chosen setting, or null}.
nlohmann::ordered_json to_json(const PlanReport& report);

/// Reads what to_json() writes, except for measurements.
/// \throws nlohmann::json::exception for a malformed document, and UserError for an index out of
///         range.
PlanReport plan_report_from(const nlohmann::json& document);

}  // namespace mlaan

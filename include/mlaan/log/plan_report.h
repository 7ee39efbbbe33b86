// Reports of the planner, as a table and as JSON.
#pragma once

#include <mlaan/train/planner.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// A table with one line per setting; the chosen one is marked.
std::string plan_table(const PlanReport& report);

/// The same as JSON.
void write_plan(const std::filesystem::path& path, const PlanReport& report);

}  // namespace mlaan

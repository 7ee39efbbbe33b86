// What the planner found, for people and for programs.
#pragma once

#include <mlaan/train/planner.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// One line a setting; the chosen one marked.
std::string plan_table(const PlanReport& report);

/// The same as JSON.
void write_plan(const std::filesystem::path& path, const PlanReport& report);

}  // namespace mlaan

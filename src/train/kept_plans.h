// What the planner has found, kept from one process to the next: a search takes minutes.
#pragma once

#include <mlaan/train/planner.h>
#include <mlaan/train/settings.h>

#include <optional>
#include <string>

namespace mlaan {

/// All that a plan depends on, as a text: the settings but for those that no step's bytes or time
/// depend on, the files that they name with size and time, the processor and the program.
/// \param program that plans, with its version.
std::string plan_key(const Settings& settings, const std::string& program);

/// What was found under the same key. Nothing where there is none, or it cannot be read.
std::optional<PlanReport> find_kept_plan(const std::string& key);

/// Keeps it below $XDG_CACHE_HOME/mlaan, or ~/.cache/mlaan. Does nothing where there is no such
/// place: it is found again, then.
void keep_plan(const std::string& key, const PlanReport& report);

}  // namespace mlaan

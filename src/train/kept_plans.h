// A cache of the planner's results on disk, since a search takes minutes.
#pragma once

#include <mlaan/train/planner.h>
#include <mlaan/train/settings.h>

#include <optional>
#include <string>

namespace mlaan {

/// Everything that the planner's result depends on, as a text: the settings that affect a step's
/// bytes or time, the path, size and time of the files that they name, the processor and the
/// program.
/// \param program name and version of the program that plans.
std::string plan_key(const Settings& settings, const std::string& program);

/// The cached result for this key; nothing if there is none or it cannot be read.
std::optional<PlanReport> find_kept_plan(const std::string& key);

/// Writes a result below $XDG_CACHE_HOME/mlaan, or ~/.cache/mlaan. Does nothing if that is not
/// possible.
void keep_plan(const std::string& key, const PlanReport& report);

}  // namespace mlaan

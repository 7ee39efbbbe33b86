// The names of a plan's supervisions in logs.
#pragma once

#include <mlaan/local/plan.h>

#include <string>
#include <vector>

namespace mlaan {

/// The name and the window of each supervision, in the plan's order, modules counted from 1:
/// "cascaded 3..4". If several have the same name and window, the second one is followed by " #2",
/// and so on.
std::vector<std::string> supervision_names(const Plan& plan);

}  // namespace mlaan

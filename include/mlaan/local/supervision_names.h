// What logs call the supervisions of a plan.
#pragma once

#include <mlaan/local/plan.h>

#include <string>
#include <vector>

namespace mlaan {

/// The name and the window of each supervision, in the plan's order, modules counted from 1:
/// "cascaded 3..4". Where several have both in common, the second has " #2" behind it, and so on.
std::vector<std::string> supervision_names(const Plan& plan);

}  // namespace mlaan

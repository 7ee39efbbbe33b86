// One choice of recomputation for a whole plan, instead of one for each module.
#pragma once

#include <mlaan/local/plan.h>

#include <string>

namespace mlaan {

/// Parses "none", "activation", "module" or "unit".
/// \throws UserError for any other text.
Recompute parse_recompute(const std::string& text);

/// Applies one choice to all modules, unless the plan already lists what its modules recompute, and
/// likewise to all nets. With Recompute::module, nets recompute nothing. Recomputation saves memory
/// at the cost of time; gradients stay the same, bit for bit, and running statistics are updated
/// once.
void set_recompute(Plan& plan, Recompute recompute);

/// What a plan recomputes by default: activations, which costs little time, if a window is shorter
/// than the network, since such a plan is meant to save memory; else nothing.
Recompute default_recompute(const Plan& plan);

}  // namespace mlaan

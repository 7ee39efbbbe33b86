// Recomputation of a whole plan, chosen at once instead of module by module.
#pragma once

#include <mlaan/local/plan.h>

#include <string>

namespace mlaan {

/// Reads "none", "activation", "module" or "unit".
/// \throws UserError for any other text.
Recompute parse_recompute(const std::string& text);

/// Lets all modules and nets of the plan recompute the same: trades time for bytes. Gradients stay
/// the same bit for bit; running statistics are updated once. With Recompute::none the plan stays
/// as its method made it; nets, which have no use for Recompute::module, then recompute nothing.
void set_recompute(Plan& plan, Recompute recompute);

/// What a plan recomputes where nobody says: activations, which costs little time, if a window is
/// shorter than the network, for then somebody wants to save memory. Else nothing.
Recompute default_recompute(const Plan& plan);

}  // namespace mlaan

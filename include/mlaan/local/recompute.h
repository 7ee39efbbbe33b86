// What a plan recomputes, chosen by a policy instead of module by module.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/nn/backbone.h>

#include <string>

namespace mlaan {

/// Trades time for bytes. Gradients stay the same bit for bit; running statistics are updated once.
enum class RecomputePolicy : std::uint8_t {
  none,        ///< what the method itself recomputes, if anything
  activation,  ///< what layers rebuild cheaply by themselves, in modules and auxiliary nets
  module,      ///< each module in one piece, while its auxiliary nets run
  unit,        ///< each unit of the modules and of the auxiliary nets by itself
};

/// \throws UserError for another text than "none", "activation", "module" and "unit".
RecomputePolicy parse_recompute_policy(const std::string& text);

/// Sets what the plan recomputes.
void set_recompute(Plan& plan, RecomputePolicy policy);

}  // namespace mlaan

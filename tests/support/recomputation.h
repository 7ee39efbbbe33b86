// Recomputation changes when activations are there, and nothing else.
#pragma once

#include "support/random_chain.h"

#include <mlaan/local/engine.h>

#include <functional>
#include <string>

namespace mlaan::testing {

/// Trains for three steps with each recomputation in turn, and expects the same parameters and
/// buffers bit for bit.
/// \param make gives the same network, plan and batch every time; what the plan itself recomputes
///        is put aside.
/// \param what names the case in messages.
void expect_recomputation_is_exact(const std::function<TrainingCase()>& make,
                                   const EngineOptions& options, const std::string& what);

}  // namespace mlaan::testing

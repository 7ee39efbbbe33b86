// What operations work with.
#pragma once

#include "local/following_twins.h"
#include "local/pass.h"
#include "local/placed_network.h"
#include "local/random_streams.h"
#include "local/trained_parts.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/schedule.h>
#include <mlaan/measure/memory.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace mlaan {

/// The parts of an engine that the operations of a step work with, and the pass that is under way.
/// What a pass leaves to the next one is in the trained parts alone.
struct Execution {
  const EngineOptions& options;
  const Schedule& schedule;
  const PlacedNetwork& network;
  TrainedParts& trained;
  FollowingTwins& twins;
  Pass& pass;

  /// What module `module` draws from in this pass.
  std::uint64_t stream_of(std::size_t module) const {
    return module_stream(options.seed, module, pass.settings.draw);
  }
};

using OperationObserver = std::function<void(const Operation&)>;

/// Executes an operation, if the pass asks for it: updates only where it has them, all others only
/// where it computes something.
/// \param observer called after it; may be empty.
void execute(const Operation& operation, Execution& execution, const OperationObserver& observer);

/// Counts the gradients of these parameters as gradients, in the accounting of memory.
inline void mark_gradients(const std::vector<torch::Tensor>& parameters) {
  for (const auto& parameter : parameters) {
    measure::mark(parameter.grad(), measure::MemoryKind::gradients);
  }
}

}  // namespace mlaan

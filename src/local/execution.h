// What operations are executed on: the parts of an engine and the current pass.
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

/// The parts of an engine that the operations of a step use, and the current pass. Of these, only
/// `trained` and `twins` carry state from one pass to the next.
struct Execution {
  const EngineOptions& options;
  const Schedule& schedule;
  const PlacedNetwork& network;
  TrainedParts& trained;
  FollowingTwins& twins;
  Pass& pass;

  /// Seed of the random stream of module `module` in this pass.
  std::uint64_t stream_of(std::size_t module) const {
    return module_stream(options.seed, module, pass.settings.draw);
  }
};

using OperationObserver = std::function<void(const Operation&)>;

/// Executes an operation if the pass includes it: an update if `update` is set in the pass's
/// settings, any other operation if `computes` is.
/// \param observer called after the operation; may be empty.
void execute(const Operation& operation, Execution& execution, const OperationObserver& observer);

/// Marks the gradients of these parameters as MemoryKind::gradients in the memory accounting.
inline void mark_gradients(const std::vector<torch::Tensor>& parameters) {
  for (const auto& parameter : parameters) {
    measure::mark(parameter.grad(), measure::MemoryKind::gradients);
  }
}

}  // namespace mlaan

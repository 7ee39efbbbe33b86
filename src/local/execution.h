// What operations work with.
#pragma once

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
  Pass& pass;

  /// What module `module` draws from in this pass.
  std::uint64_t stream_of(std::size_t module) const {
    return module_stream(options.seed, module, pass.settings.draw);
  }
};

/// Executes the operations of the schedule, in its order; updates only where the pass has them.
/// \param observer called after every operation; may be empty.
void execute(Execution& execution, const std::function<void(const Operation&)>& observer);

/// Counts the gradients of these parameters as gradients, in the accounting of memory.
inline void mark_gradients(const std::vector<torch::Tensor>& parameters) {
  for (const auto& parameter : parameters) {
    measure::mark(parameter.grad(), measure::MemoryKind::gradients);
  }
}

}  // namespace mlaan

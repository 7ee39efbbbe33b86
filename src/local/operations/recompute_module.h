// Recomputes a module's activations.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// Runs a module forward again, to restore the activations for its backward pass. Random draws are
/// repeated; buffers (running statistics) stay as the first run left them.
class RecomputeModule final : public Operation {
 public:
  explicit RecomputeModule(std::size_t module) : Operation(Activity::recompute, module) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
};

}  // namespace mlaan

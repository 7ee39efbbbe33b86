// End-to-end backpropagation, with and without activation checkpointing.
//
// Update rule: one supervision of the window [1..K] by the backbone's own head, weight 1, which is
// ordinary training.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>

namespace mlaan {

struct CheckpointOptions {
  static constexpr const char* section = "checkpoint";
  /// Number of segments of the network, whose activations are recomputed; 0: one for each module.
  std::int64_t segments = 0;

  void describe(FieldList& fields);
};

namespace methods {

Plan e2e(const Backbone& backbone, const Partition& partition);

/// End-to-end backpropagation that saves only the segments' boundaries (Chen et al. 2016,
/// arXiv:1604.06174): each segment but the last is recomputed right before its backward pass.
Plan checkpoint(const Backbone& backbone, const Partition& partition,
                const CheckpointOptions& options = {});

MethodEntry e2e_entry();
MethodEntry checkpoint_entry();

}  // namespace methods
}  // namespace mlaan

// End-to-end backpropagation, with and without activation checkpointing.
//
// Update rule: one supervision of the window [1..K] by the backbone's own head, weight 1; this is
// ordinary training, cut nowhere.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>

namespace mlaan {

struct CheckpointOptions {
  static constexpr const char* section = "checkpoint";
  /// Number of segments whose activations are computed again; 0: one for each module.
  std::int64_t segments = 0;

  void describe(FieldList& fields);
};

namespace methods {

Plan e2e(const Backbone& backbone, const Partition& partition);

/// End-to-end, keeping only the segments' boundaries (Chen et al. 2016, arXiv:1604.06174): each
/// segment but the last runs forward a second time when its gradients are due.
Plan checkpoint(const Backbone& backbone, const Partition& partition,
                const CheckpointOptions& options = {});

MethodEntry e2e_entry();
MethodEntry checkpoint_entry();

}  // namespace methods
}  // namespace mlaan

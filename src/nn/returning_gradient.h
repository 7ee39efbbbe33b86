// Gradients that their sender keeps, to send them once more.
#pragma once

#include "core/sole_owner.h"

#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

namespace mlaan {

/// A node that gains from knowing that the gradient which comes next returns: its sender holds it
/// too, but will only send it here again, as part of a sum. What the node sets to 0 in it, it may
/// then set to 0 in the sender's memory: in the sum it would have set it to 0 as well.
struct ReturningGradientNode : torch::autograd::Node {
  bool gradient_returns = false;

 protected:
  /// Whether zeros may be written into this gradient: nobody can see it, or the sender alone, which
  /// will send it again.
  bool may_cut_in_place(const torch::Tensor& gradient) const {
    return has_owners_at_most(gradient_returns ? 2 : 1, gradient);
  }
};

/// Tells the node that gave `output`, where it wants to know, whether the next gradient returns.
inline void set_gradient_returns(const torch::Tensor& output, bool returns) {
  if (auto* node = dynamic_cast<ReturningGradientNode*>(output.grad_fn().get())) {
    node->gradient_returns = returns;
  }
}

}  // namespace mlaan

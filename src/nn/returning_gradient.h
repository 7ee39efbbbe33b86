// Gradients that their sender can send once more.
#pragma once

#include "core/sole_owner.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <functional>
#include <utility>

namespace mlaan {

/// Makes a gradient, in new memory, as often as it is asked.
/// \param output where defined, that of a ReLU, whose gradient is made: 0 where the output is 0.
using GradientSource = std::function<torch::Tensor(const torch::Tensor& output)>;

/// A node that gains from knowing that the gradient which comes next returns: its sender holds it
/// too, but will only send it here again, as part of a sum. What the node sets to 0 in it, it may
/// then set to 0 in the sender's memory: in the sum it would have set it to 0 as well.
struct ReturningGradientNode : torch::autograd::Node {
  bool gradient_returns = false;
  /// Where set, the gradient that comes next only stands for what this gives.
  GradientSource source;

  /// Whether it asks the source, where there is one.
  virtual bool asks_source() const { return false; }

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

/// What to send to the node that gave `output`, so that it gets the gradient of a source: what
/// stands for it, without memory, where the node asks the source itself.
inline torch::Tensor send_from(GradientSource source, const torch::Tensor& output) {
  auto* node = dynamic_cast<ReturningGradientNode*>(output.grad_fn().get());
  if (node == nullptr || !node->asks_source()) return source({});
  node->source = std::move(source);
  return at::zeros({}, output.options()).expand(output.sizes());
}

}  // namespace mlaan

// Nodes of autograd's graph that accept a gradient in any form.
#pragma once

#include <mlaan/nn/gradient.h>

#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <utility>

namespace mlaan {

/// A node that accepts gradients that autograd cannot represent: a pooled gradient of its output,
/// or one of which the sender keeps a handle (Gradient::keep()).
class GradientNode : public torch::autograd::Node {
 public:
  /// Accepts a gradient before the backward pass that begins at the node's output.
  /// \return the tensor to start that backward pass with: for a pooled gradient, a placeholder of
  ///         zeros that needs no memory.
  torch::Tensor take(Gradient gradient, const torch::Tensor& output);

 protected:
  /// Called in the backward pass with the tensor that autograd delivers.
  /// \return the accepted gradient; if none was accepted, the delivered tensor.
  Gradient arrived(torch::Tensor brought);
  /// The placeholder that autograd delivered for a pooled gradient, to be passed on as the
  /// placeholder of the next node's gradient.
  torch::Tensor take_stand_in() { return std::exchange(stand_in_, torch::Tensor()); }

 private:
  Gradient taken_;
  torch::Tensor stand_in_;
};

/// Hands the gradient of `output` to the node that computed `output`.
/// \return the tensor to start the backward pass with: for a node that is no GradientNode, the
///         materialised gradient.
torch::Tensor send_to(const torch::Tensor& output, Gradient gradient);

}  // namespace mlaan

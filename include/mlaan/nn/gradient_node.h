// Nodes of autograd's graph that take a gradient in any form.
#pragma once

#include <mlaan/nn/gradient.h>

#include <torch/csrc/autograd/function.h>
#include <torch/types.h>

#include <utility>

namespace mlaan {

/// A node that is told what autograd has no words for: that a gradient of its output is pooled, or
/// that its sender keeps it.
class GradientNode : public torch::autograd::Node {
 public:
  /// Takes a gradient, ahead of the pass through the graph that begins at the node's output.
  /// \return what to send through the graph in its place.
  torch::Tensor take(Gradient gradient, const torch::Tensor& output);

 protected:
  /// The gradient that was taken, once autograd has brought what stands for it; without one, what
  /// was brought.
  Gradient arrived(torch::Tensor brought);
  /// What autograd has brought for a pooled gradient, to go on in the place of one: it has no
  /// memory.
  torch::Tensor take_stand_in() { return std::exchange(stand_in_, torch::Tensor()); }

 private:
  Gradient taken_;
  torch::Tensor stand_in_;
};

/// What to send through the graph so that the node that gave `output` gets this gradient: all of
/// it, for a node that knows only what autograd brings.
torch::Tensor send_to(const torch::Tensor& output, Gradient gradient);

}  // namespace mlaan

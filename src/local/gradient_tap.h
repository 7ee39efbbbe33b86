// Detached tensors whose gradient is handed over as autograd computed it.
#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/types.h>

#include <vector>

namespace mlaan {

/// A detached alias of a tensor at which a graph begins. A leaf would do the same, but its gradient
/// is first copied into the leaf's own memory layout: here a gradient that is the same all over a
/// map (that of global average pooling) stays a broadcast of a few numbers, or of one row of the
/// map where its channels are too few for LibTorch to be quick (with_rows_in_memory).
class GradientTap {
 public:
  GradientTap() = default;
  explicit GradientTap(const torch::Tensor& source);

  /// What the graph reads.
  const torch::Tensor& tensor() const { return tensor_; }
  /// Where the graph's gradient arrives.
  torch::autograd::Edge edge() const;
  /// The gradient that has arrived since the last call, or an undefined tensor.
  torch::Tensor take() const;

 private:
  decltype(torch::autograd::Edge::function) node_;
  torch::Tensor tensor_;
};

/// Where gradients of parameters arrive, to be accumulated in `grad()`.
/// \throws UserError for a parameter that has been frozen since.
std::vector<torch::autograd::Edge> accumulation_edges(const std::vector<torch::Tensor>& parameters);

/// A vector-Jacobian product: sends `cotangent` from `output` through its graph to the given edges,
/// computing nothing else. Handed over by value, the cotangent is freed as soon as it is used.
void send_back(const torch::Tensor& output, torch::Tensor cotangent, bool keep_graph,
               const std::vector<torch::autograd::Edge>& destinations);

/// The same, but gives the gradients of `inputs` back instead of accumulating them. Frees the
/// graph, and the output before all else.
std::vector<torch::Tensor> send_back_for(torch::Tensor output, torch::Tensor cotangent,
                                         const std::vector<torch::Tensor>& inputs);

}  // namespace mlaan

// Detached tensors whose gradient is returned as autograd computed it.
#pragma once

#include <torch/csrc/autograd/edge.h>
#include <torch/types.h>

#include <vector>

namespace mlaan {

/// A detached alias of a tensor at which a graph begins. A leaf would do the same, but autograd
/// copies a leaf's gradient into the leaf's memory format. Here a gradient that is constant over a
/// map (that of global average pooling) stays an expanded tensor of a few numbers, or, where the
/// map has too few channels for LibTorch to be fast, of one row of the map (with_rows_in_memory).
class GradientTap {
 public:
  GradientTap() = default;
  explicit GradientTap(const torch::Tensor& source);

  /// The input of the graph.
  const torch::Tensor& tensor() const { return tensor_; }
  /// Where the gradient of tensor() arrives.
  torch::autograd::Edge edge() const;
  /// The gradient that has arrived since the last call; undefined if none has.
  torch::Tensor take() const;

 private:
  decltype(torch::autograd::Edge::function) node_;
  torch::Tensor tensor_;
};

/// The edges at which gradients of parameters are accumulated into `grad()`.
/// \throws UserError for a parameter that was frozen after the engine was made.
std::vector<torch::autograd::Edge> accumulation_edges(const std::vector<torch::Tensor>& parameters);

/// Runs a backward pass that sends `cotangent` from `output` to the given edges and computes
/// nothing else. If moved in, the cotangent is freed as soon as it is used.
void send_back(const torch::Tensor& output, torch::Tensor cotangent, bool keep_graph,
               const std::vector<torch::autograd::Edge>& destinations);

/// Like send_back(), but returns the gradients of `inputs` instead of accumulating them. Frees the
/// output before the backward pass, and the graph by it.
std::vector<torch::Tensor> send_back_for(torch::Tensor output, torch::Tensor cotangent,
                                         const std::vector<torch::Tensor>& inputs);

}  // namespace mlaan

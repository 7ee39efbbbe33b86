// The backward pass of a ReLU, in place or not.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// The gradient of a ReLU's input, from the gradient and the value of its output.
/// \param in_place whether to overwrite the gradient, which then must be dense.
torch::Tensor relu_backward(const torch::Tensor& gradient, const torch::Tensor& output,
                            bool in_place);

/// Like relu_backward(), into a tensor of the output's shape, which may be a view of a larger one.
void relu_backward_to(torch::Tensor destination, const torch::Tensor& gradient,
                      const torch::Tensor& output);

/// A bool mask, one byte per element, of where the output is not 0: enough for a backward pass.
torch::Tensor open_where_positive(const torch::Tensor& output);

/// Like relu_backward(), bit for bit, from the mask that open_where_positive() returns.
torch::Tensor relu_backward_where_open(const torch::Tensor& gradient, const torch::Tensor& open,
                                       bool in_place);

}  // namespace mlaan

// The backward pass of a ReLU, in place or not.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// The gradient of a ReLU's input, from the gradient and the value of its output.
/// \param in_place whether to write it over the gradient, which must be dense then.
torch::Tensor relu_backward(const torch::Tensor& gradient, const torch::Tensor& output,
                            bool in_place);

/// The same into a tensor of the output's shape, which may be a part of a larger one.
void relu_backward_to(torch::Tensor destination, const torch::Tensor& gradient,
                      const torch::Tensor& output);

/// What relu_backward() needs of the output, in a byte an element (bool): where it is not 0.
torch::Tensor open_where_positive(const torch::Tensor& output);

/// The same bits as relu_backward() gives, from open_where_positive() of the output.
torch::Tensor relu_backward_where_open(const torch::Tensor& gradient, const torch::Tensor& open,
                                       bool in_place);

}  // namespace mlaan

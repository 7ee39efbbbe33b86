// The backward pass of a ReLU, in place where that is nobody else's memory.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// The gradient of a ReLU's input, from the gradient and the value of its output.
torch::Tensor relu_backward(torch::Tensor gradient, const torch::Tensor& output);

/// What relu_backward() needs of the output, in a byte an element (bool): where it is not 0.
torch::Tensor open_where_positive(const torch::Tensor& output);

/// The same bits as relu_backward() gives, from open_where_positive() of the output.
torch::Tensor relu_backward_where_open(torch::Tensor gradient, const torch::Tensor& open);

}  // namespace mlaan

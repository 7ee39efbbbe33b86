// Aliases of a tensor that several layers read, whose gradients are summed in place.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <vector>

namespace mlaan {

/// Makes `count` aliases of a tensor, one for each layer that reads it. The backward pass sums
/// their gradients in the memory of one of them; LibTorch 1.13 would allocate a third tensor to sum
/// the gradients of one tensor.
std::vector<torch::Tensor> fork(const torch::Tensor& tensor, std::size_t count);

}  // namespace mlaan

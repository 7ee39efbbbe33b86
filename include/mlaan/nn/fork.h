// Where several layers read one tensor.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <vector>

namespace mlaan {

/// `count` aliases of a tensor, one for each layer that reads it. Their gradients are summed in the
/// memory of one of them; where LibTorch 1.13 joins the gradients of one tensor, it gives out a
/// third.
std::vector<torch::Tensor> fork(const torch::Tensor& tensor, std::size_t count);

}  // namespace mlaan

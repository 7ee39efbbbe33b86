// Broadcast tensors, which repeat elements by strides of 0.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// Whether all elements along a dimension are one element in memory.
inline bool repeats_along(const torch::Tensor& tensor, std::int64_t dimension) {
  return tensor.stride(dimension) == 0 && tensor.size(dimension) > 1;
}

/// A view of the elements behind a broadcast: repeated dimensions have size 1.
inline torch::Tensor without_repeats(torch::Tensor tensor) {
  for (std::int64_t d = 0; d < tensor.dim(); ++d) {
    if (repeats_along(tensor, d)) tensor = tensor.narrow(d, 0, 1);
  }
  return tensor;
}

/// Whether two tensors of one shape are broadcast along the same dimensions, at least one.
inline bool repeats_alike(const torch::Tensor& left, const torch::Tensor& right) {
  bool any = false;
  for (std::int64_t d = 0; d < left.dim(); ++d) {
    const bool repeats = repeats_along(left, d);
    if (repeats != repeats_along(right, d)) return false;
    any = any || repeats;
  }
  return any;
}

}  // namespace mlaan

// Whether a tensor's memory may be overwritten.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

namespace mlaan {

/// Whether the tensor's reference count is at most `owners`, no other tensor shares its storage,
/// and its elements do not overlap and leave no gaps.
inline bool has_owners_at_most(std::size_t owners, const at::Tensor& tensor) {
  return tensor.use_count() <= owners && tensor.has_storage() &&
         tensor.storage().use_count() == 1 && tensor.is_non_overlapping_and_dense();
}

/// Whether this holds with the caller as the only owner.
inline bool is_sole_owner(const at::Tensor& tensor) {
  return has_owners_at_most(1, tensor);
}

}  // namespace mlaan

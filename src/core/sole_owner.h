// Whether a tensor's memory may be written over.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>

namespace mlaan {

/// Whether at most so many hold this tensor, nobody else can see its memory, and all of its
/// elements are in it once.
inline bool has_owners_at_most(std::size_t owners, const at::Tensor& tensor) {
  return tensor.use_count() <= owners && tensor.has_storage() &&
         tensor.storage().use_count() == 1 && tensor.is_non_overlapping_and_dense();
}

/// The same of the caller alone.
inline bool is_sole_owner(const at::Tensor& tensor) {
  return has_owners_at_most(1, tensor);
}

}  // namespace mlaan

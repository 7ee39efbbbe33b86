// Whether a tensor's memory may be written over.
#pragma once

#include <ATen/core/Tensor.h>

namespace mlaan {

/// Whether nobody else can see this tensor's memory, and all of its elements are in it once.
inline bool is_sole_owner(const at::Tensor& tensor) {
  return tensor.use_count() == 1 && tensor.has_storage() && tensor.storage().use_count() == 1 &&
         tensor.is_non_overlapping_and_dense();
}

}  // namespace mlaan

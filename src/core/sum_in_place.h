// Adds tensors in place where that is safe.
#pragma once

#include "core/sole_owner.h"

#include <ATen/core/Tensor.h>

#include <utility>

namespace mlaan {

/// The sum, written into one of the two tensors if nobody else can see its memory. An undefined
/// tensor counts as zero.
inline at::Tensor sum_in_place(at::Tensor left, at::Tensor right) {
  if (!left.defined()) return right;
  if (!right.defined()) return left;
  if (is_sole_owner(left)) return left.add_(right);
  if (is_sole_owner(right)) return right.add_(left);
  return left.add(right);
}

}  // namespace mlaan

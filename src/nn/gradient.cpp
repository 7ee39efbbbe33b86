// The gradient of a tensor, in the form that takes the least memory.
#include "core/broadcast.h"
#include "core/sole_owner.h"
#include "core/sum_in_place.h"
#include "nn/kernels/relu_backward.h"

#include <mlaan/nn/gradient.h>

namespace mlaan {
namespace {

/// The sum, which stays a broadcast if both tensors are broadcast along the same dimensions.
torch::Tensor sum_of(torch::Tensor left, torch::Tensor right) {
  if (left.defined() && right.defined() && repeats_alike(left, right)) {
    return without_repeats(left).add(without_repeats(right)).expand(left.sizes());
  }
  return sum_in_place(std::move(left), std::move(right));
}

}  // namespace

torch::Tensor Gradient::materialise() && {
  return is_pooled() ? reading_->send_back(numbers_) : std::move(numbers_);
}

void Gradient::add_to(torch::Tensor& sum) && {
  if (defined() && is_pooled() && sum.defined() && is_sole_owner(sum)) {
    reading_->add_to(sum, numbers_);
    return;
  }
  if (!defined()) return;
  sum = sum_of(std::move(sum), std::move(*this).materialise());
}

torch::Tensor Gradient::cut(const torch::Tensor& relu_output) && {
  if (is_pooled()) return reading_->send_back_cut(numbers_, relu_output);
  return relu_backward(numbers_, relu_output, is_cut_in_place());
}

torch::Tensor Gradient::cut_where_open(const torch::Tensor& open) && {
  if (is_pooled()) {
    return relu_backward_where_open(reading_->send_back(numbers_), open, /*in_place=*/true);
  }
  return relu_backward_where_open(numbers_, open, is_cut_in_place());
}

bool Gradient::is_cut_in_place() const {
  return !is_pooled() && has_owners_at_most(is_kept_ ? 2 : 1, numbers_);
}

Gradient Gradient::keep() {
  Gradient kept = *this;
  is_kept_ = true;
  return kept;
}

Gradient Gradient::with_numbers(torch::Tensor numbers) && {
  Gradient gradient = std::move(*this);
  gradient.numbers_ = std::move(numbers);
  return gradient;
}

}  // namespace mlaan

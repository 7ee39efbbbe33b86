// The gradient of a tensor, in the form that needs the least memory.
#pragma once

#include <mlaan/nn/linear_reading.h>

#include <torch/types.h>

#include <memory>
#include <utility>

namespace mlaan {

/// A gradient with respect to a tensor, in one of three forms.
/// - dense: the tensor's shape, and memory of its own;
/// - broadcast: the tensor's shape, but strides of 0 where all positions are equal;
/// - pooled: the tensor was read through a linear map, such as average pooling, and only the
///   gradient of the map's output is stored, as LinearMap::shares() returns it: as small as the
///   pooled map.
/// A default-constructed gradient is a zero.
///
/// Memory that has other owners, by its reference count (core/sole_owner.h), is never overwritten.
/// A sender's second handle, made by keep(), does not count as an owner.
class Gradient {
 public:
  Gradient() = default;
  /// A dense gradient or a broadcast; an undefined tensor is a zero.
  explicit Gradient(torch::Tensor gradient) : numbers_(std::move(gradient)) {}
  /// A pooled gradient, as the linear map's shares.
  Gradient(torch::Tensor shares, std::shared_ptr<const LinearReading> reading)
      : numbers_(std::move(shares)), reading_(std::move(reading)) {}

  bool defined() const { return numbers_.defined(); }
  bool is_pooled() const { return reading_ != nullptr; }
  /// The stored tensor: the gradient itself, or the shares of a pooled gradient.
  const torch::Tensor& numbers() const { return numbers_; }

  /// The gradient in the tensor's shape; a pooled gradient is expanded into new memory.
  torch::Tensor materialise() &&;
  /// Adds the gradient to a sum, in place if nobody else holds the sum. An undefined sum is a zero.
  void add_to(torch::Tensor& sum) &&;

  /// The backward pass of a ReLU: from the gradient of its output, the gradient of its input, which
  /// is 0 where the output is 0. In place if is_cut_in_place().
  torch::Tensor cut(const torch::Tensor& relu_output) &&;
  /// Like cut(), from open_where_positive() of the ReLU's output.
  torch::Tensor cut_where_open(const torch::Tensor& open) &&;
  /// Whether cut() overwrites the gradient: it is dense, and its memory has no other owner except
  /// for a handle made by keep().
  bool is_cut_in_place() const;

  /// Makes a second handle, for a sender that sends this gradient now and the second handle later,
  /// to the same tensor, as part of a sum. A ReLU that cuts this gradient in place also changes the
  /// second handle; that is harmless, since the ReLU would cut the sum in the same way.
  Gradient keep();

  /// Moves the tensor out of a dense gradient or a broadcast, so that autograd can carry it;
  /// with_numbers() puts it back.
  torch::Tensor take_numbers() { return std::exchange(numbers_, torch::Tensor()); }
  Gradient with_numbers(torch::Tensor numbers) &&;

 private:
  torch::Tensor numbers_;
  std::shared_ptr<const LinearReading> reading_;  ///< the map of a pooled gradient; else null
  bool is_kept_ = false;                          ///< whether keep() made a second handle
};

}  // namespace mlaan

// The gradient of a tensor, in the form that takes the least memory.
#pragma once

#include <mlaan/nn/linear_reading.h>

#include <torch/types.h>

#include <memory>
#include <utility>

namespace mlaan {

/// A gradient with respect to a tensor, in one of three forms.
/// - dense: the tensor's shape, and memory of its own;
/// - broadcast: the tensor's shape, but strides of 0 where all positions are equal;
/// - pooled: the tensor was read through a linear map, such as average pooling, and the gradient is
///   still that of the map's output, as LinearMap::shares() gives it: as small as the pooled map.
/// A gradient by default is a zero.
///
/// What others hold is never written over: that is seen by the number of owners of its memory
/// (core/sole_owner.h), of which a sender that keeps a gradient may say that it is none (keep()).
class Gradient {
 public:
  Gradient() = default;
  /// Dense or a broadcast; a zero if undefined.
  explicit Gradient(torch::Tensor gradient) : numbers_(std::move(gradient)) {}
  /// Pooled.
  Gradient(torch::Tensor shares, std::shared_ptr<const LinearReading> reading)
      : numbers_(std::move(shares)), reading_(std::move(reading)) {}

  bool defined() const { return numbers_.defined(); }
  bool is_pooled() const { return reading_ != nullptr; }
  /// The gradient itself; of a pooled one, the shares.
  const torch::Tensor& numbers() const { return numbers_; }

  /// In the tensor's shape: as it is, or in new memory where it is pooled.
  torch::Tensor materialise() &&;
  /// Adds it to a sum, in place where nobody else sees the sum. An undefined sum is a zero.
  void add_to(torch::Tensor& sum) &&;

  /// The gradient of a ReLU's input, for one of its output: 0 where the output is 0. Written over
  /// the gradient where that is allowed.
  torch::Tensor cut(const torch::Tensor& relu_output) &&;
  /// The same, from open_where_positive() of the output.
  torch::Tensor cut_where_open(const torch::Tensor& open) &&;
  /// Whether a cut is written over the gradient: nobody else can see it, or a sender alone that
  /// keeps it as keep() says.
  bool is_cut_in_place() const;

  /// A second handle for a sender that sends this one off, and keeps the other only to send it to
  /// the same tensor once more, as part of a sum. What a ReLU there cuts from the one is so cut
  /// from the other too, where they share memory: from the sum it would be cut as well.
  Gradient keep();

  /// Takes the numbers out of a dense gradient or a broadcast, to travel through a graph;
  /// with_numbers() puts them back.
  torch::Tensor take_numbers() { return std::exchange(numbers_, torch::Tensor()); }
  Gradient with_numbers(torch::Tensor numbers) &&;

 private:
  torch::Tensor numbers_;
  std::shared_ptr<const LinearReading> reading_;  ///< the linear map, where pooled; else null
  bool is_kept_ = false;                          ///< by a sender as keep() says
};

}  // namespace mlaan

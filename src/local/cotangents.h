// Cotangents that wait at the output of one module.
#pragma once

#include "local/linear_reading.h"

#include <mlaan/local/schedule.h>

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace mlaan {

/// A gradient with respect to a module's output, in one of three forms.
/// - dense: `gradient` has the output's shape and memory of its own;
/// - broadcast: it has the output's shape, but strides of 0 where all positions are equal;
/// - pooled: a net begins with a linear map, such as average pooling, and the gradient has not been
///   brought through that yet; `gradient` is as small as the pooled map, and holds what each of the
///   positions pooled into one number gets of its gradient (LinearMap::shares).
/// An undefined gradient is a zero.
struct Cotangent {
  torch::Tensor gradient;
  std::shared_ptr<const LinearReading> reading;  ///< the linear map, where pooled; else null

  bool defined() const { return gradient.defined(); }
  /// Adds it to a sum at the module's output, in place where nobody else sees the sum.
  void add_to(torch::Tensor& sum) &&;
};

/// Gradients of weighted losses with respect to a module's output. Those of windows that begin
/// before the module are kept apart by the window's start, because they travel on; all others only
/// have to be summed, for the module's parameters.
class Cotangents {
 public:
  /// Takes the gradient of an evaluation's whole weighted loss with respect to what its net reads,
  /// and deals it out to the groups in proportion to their weights.
  /// \param reading the linear map that the net begins with; null for none. The gradient is then of
  ///        that map's output.
  void add(const Evaluation& evaluation, torch::Tensor gradient,
           const std::shared_ptr<const LinearReading>& reading);
  void add_to_group(std::size_t start, Cotangent cotangent);
  void add_to_sum(Cotangent cotangent);

  Cotangent take_group(std::size_t start);
  torch::Tensor take_sum();

 private:
  std::map<std::size_t, Cotangent> groups_;
  torch::Tensor sum_;
  std::vector<Cotangent> pooled_;  ///< that belong to the sum
};

}  // namespace mlaan

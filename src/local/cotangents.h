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

/// A gradient with respect to a module's output, perhaps still behind what a net reads that output
/// through, where it takes less memory. An undefined gradient is a zero.
struct Cotangent {
  torch::Tensor gradient;  ///< where it is behind a reading, the positions' shares of it
  std::shared_ptr<const LinearReading> reading;  ///< that the gradient is behind; null for none

  bool defined() const { return gradient.defined(); }
  /// Adds it to a sum at the module's output.
  void add_to(torch::Tensor& sum) &&;
};

/// Gradients of weighted losses with respect to a module's output. Those of windows that begin
/// before the module are kept apart by the window's start, because they travel on; all others only
/// have to be summed, for the module's parameters.
class Cotangents {
 public:
  /// Takes the gradient of an evaluation's whole weighted loss with respect to what its net reads,
  /// and deals it out to the groups in proportion to their weights.
  /// \param reading that the net reads the module's output through; null for none.
  void add(const Evaluation& evaluation, torch::Tensor gradient,
           const std::shared_ptr<const LinearReading>& reading);
  void add_to_group(std::size_t start, Cotangent cotangent);
  void add_to_sum(Cotangent cotangent);

  Cotangent take_group(std::size_t start);
  torch::Tensor take_sum();

 private:
  std::map<std::size_t, Cotangent> groups_;
  torch::Tensor sum_;
  std::vector<Cotangent> behind_readings_;  ///< that belong to the sum
};

}  // namespace mlaan

// Cotangents that wait at the output of one module.
#pragma once

#include <mlaan/local/schedule.h>
#include <mlaan/nn/gradient.h>

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace mlaan {

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
  /// Adds a cotangent of windows that begin at module `start`. \param module whose output this is.
  void add_of_windows(std::size_t start, std::size_t module, Gradient cotangent);
  void add_to_group(std::size_t start, Gradient cotangent);
  void add_to_sum(Gradient cotangent);

  /// What add_of_windows() has added.
  Gradient take_of_windows(std::size_t start, std::size_t module);
  Gradient take_group(std::size_t start);
  torch::Tensor take_sum();

 private:
  std::map<std::size_t, Gradient> groups_;
  torch::Tensor sum_;
  std::vector<Gradient> pooled_;  ///< that belong to the sum
};

}  // namespace mlaan

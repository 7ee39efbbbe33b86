// Accumulates the cotangents at the output of one module.
#pragma once

#include <mlaan/local/schedule.h>
#include <mlaan/nn/gradient.h>

#include <torch/types.h>

#include <cstddef>
#include <map>
#include <memory>
#include <vector>

namespace mlaan {

/// Gradients of weighted losses with respect to a module's output. Cotangents of windows that begin
/// before the module form one group per window start, because they continue to earlier modules; all
/// others are only summed, for the gradients of the module's parameters.
class Cotangents {
 public:
  /// Adds the gradient of an evaluation's whole weighted loss with respect to the net's input,
  /// split among the evaluation's groups in proportion to their weights.
  /// \param reading the linear map at the net's beginning; null for none. If given, `gradient` is
  /// with respect to the output of that map.
  void add(const Evaluation& evaluation, torch::Tensor gradient,
           const std::shared_ptr<const LinearReading>& reading);
  /// Adds a cotangent of windows that begin at module `start`. \param module the module at whose
  /// output the cotangent is.
  void add_of_windows(std::size_t start, std::size_t module, Gradient cotangent);
  void add_to_group(std::size_t start, Gradient cotangent);
  void add_to_sum(Gradient cotangent);

  /// Returns and clears what add_of_windows() adds to: the sum if start == module, else the group.
  Gradient take_of_windows(std::size_t start, std::size_t module);
  Gradient take_group(std::size_t start);
  torch::Tensor take_sum();

 private:
  std::map<std::size_t, Gradient> groups_;
  torch::Tensor sum_;
  std::vector<Gradient> pooled_;  ///< pooled gradients that have yet to be added to sum_
};

}  // namespace mlaan

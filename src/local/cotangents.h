// Cotangents that wait at the output of one module.
#pragma once

#include <mlaan/local/schedule.h>

#include <torch/types.h>

#include <cstddef>
#include <map>

namespace mlaan {

/// Gradients of weighted losses with respect to a module's output. Those of windows that begin
/// before the module are kept apart by the window's start, because they travel on; all others only
/// have to be summed, for the module's parameters. An undefined tensor is a zero.
class Cotangents {
 public:
  /// Takes the gradient of an evaluation's whole weighted loss, and deals it out to the groups in
  /// proportion to their weights.
  void add(const Evaluation& evaluation, torch::Tensor gradient);
  void add_to_group(std::size_t start, torch::Tensor cotangent);
  void add_to_sum(torch::Tensor cotangent);

  torch::Tensor take_group(std::size_t start);
  torch::Tensor take_sum();

 private:
  std::map<std::size_t, torch::Tensor> groups_;
  torch::Tensor sum_;
};

}  // namespace mlaan

// Stochastic gradient descent by foreach operators, which update all parameters at once.
#pragma once

#include <torch/optim/sgd.h>

namespace mlaan {

/// torch::optim::SGD with the same options, the same state and, bit for bit, the same results.
/// Every operator runs on the list of all parameters, which on a GPU takes one or two kernels
/// instead of one per parameter. The operators work in place, so that a step needs no memory beside
/// the state; therefore the gradients hold the update afterwards. A gradient that somebody else
/// holds too, or whose storage another tensor shares, is copied first.
class ForeachSgd : public torch::optim::SGD {
 public:
  using SGD::SGD;

  torch::Tensor step(LossClosure closure = nullptr) override;

 private:
  void step(torch::optim::OptimizerParamGroup& group);
  /// Updates the momentum of every parameter, and creates missing ones.
  std::vector<torch::Tensor> move_buffers(const std::vector<torch::Tensor>& parameters,
                                          const std::vector<torch::Tensor>& gradients,
                                          const torch::optim::SGDOptions& options);
};

}  // namespace mlaan

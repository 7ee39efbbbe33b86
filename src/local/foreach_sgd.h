// Stochastic gradient descent by operators that take the list of all parameters at once.
#pragma once

#include <torch/optim/sgd.h>

namespace mlaan {

/// torch::optim::SGD: the same options, the same state and, bit for bit, the same results. Every
/// operation takes the list of all parameters, which on a GPU is a kernel or two instead of one for
/// each parameter, and works in place, so that a step needs no bytes beside the state. The price:
/// it uses the gradients up - they hold the update afterwards. A gradient that somebody else holds
/// too, or whose memory is another tensor's as well, is copied first.
class ForeachSgd : public torch::optim::SGD {
 public:
  using SGD::SGD;

  torch::Tensor step(LossClosure closure = nullptr) override;

 private:
  void step(torch::optim::OptimizerParamGroup& group);
  /// Brings the momentum of every parameter up to date, and makes it where there is none.
  std::vector<torch::Tensor> move_buffers(const std::vector<torch::Tensor>& parameters,
                                          const std::vector<torch::Tensor>& gradients,
                                          const torch::optim::SGDOptions& options);
};

}  // namespace mlaan

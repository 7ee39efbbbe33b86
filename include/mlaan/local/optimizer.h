// How an engine gets its optimizers: one for each module and each auxiliary net.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <functional>
#include <memory>
#include <vector>

namespace mlaan {

/// Makes a LibTorch optimizer of the given parameters. Called once for each module and net.
using OptimizerFactory =
    std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<torch::Tensor> parameters)>;

/// Stochastic gradient descent, with the defaults of the published recipes.
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool nesterov = true;
};

/// torch::optim::SGD bit for bit, by operators that take all parameters of a part at once. A step
/// uses the gradients up.
OptimizerFactory sgd(const SgdOptions& options = {});

/// Steps by moments of the gradient (Kingma and Ba 2015, arXiv:1412.6980).
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
};

/// torch::optim::Adam: weight decay is part of the gradient.
OptimizerFactory adam(const AdamOptions& options = {});

/// torch::optim::AdamW: weight decay beside the gradient (Loshchilov and Hutter 2019,
/// arXiv:1711.05101).
OptimizerFactory adamw(const AdamOptions& options = {});

}  // namespace mlaan

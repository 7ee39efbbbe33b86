// How an engine gets its optimizers: one for each module and each auxiliary net.
#include "local/foreach_sgd.h"

#include <mlaan/local/optimizer.h>

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>

#include <tuple>

namespace mlaan {
namespace {

template <class Optimizer, class Options>
OptimizerFactory with_moments(const AdamOptions& options) {
  return [options](std::vector<torch::Tensor> parameters) {
    return std::make_unique<Optimizer>(std::move(parameters),
                                       Options(options.lr)
                                           .betas(std::make_tuple(options.beta1, options.beta2))
                                           .eps(options.epsilon)
                                           .weight_decay(options.weight_decay));
  };
}

}  // namespace

OptimizerFactory sgd(const SgdOptions& options) {
  return [options](std::vector<torch::Tensor> parameters) {
    return std::make_unique<ForeachSgd>(std::move(parameters),
                                        torch::optim::SGDOptions(options.lr)
                                            .momentum(options.momentum)
                                            .weight_decay(options.weight_decay)
                                            .nesterov(options.nesterov && options.momentum > 0));
  };
}

OptimizerFactory adam(const AdamOptions& options) {
  return with_moments<torch::optim::Adam, torch::optim::AdamOptions>(options);
}

OptimizerFactory adamw(const AdamOptions& options) {
  return with_moments<torch::optim::AdamW, torch::optim::AdamWOptions>(options);
}

}  // namespace mlaan

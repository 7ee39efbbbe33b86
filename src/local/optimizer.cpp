// Factories of optimizers; an engine makes one for each module and each auxiliary net.
#include "local/eight_bit_optimizer.h"
#include "local/foreach_sgd.h"
#include "local/lamb.h"

#include <mlaan/core/error.h>
#include <mlaan/local/optimizer.h>

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>

#include <tuple>
#include <utility>

namespace mlaan {
namespace {

using torch::optim::OptimizerParamGroup;

/// All parameters in one group, or in two if vectors are exempt from weight decay.
template <class Options>
std::vector<OptimizerParamGroup> in_groups(const std::vector<torch::Tensor>& parameters,
                                           const Options& options, bool decay_norms) {
  std::vector<torch::Tensor> decayed;
  std::vector<torch::Tensor> others;
  for (const auto& parameter : parameters) {
    (decay_norms || !is_vector(parameter) ? decayed : others).push_back(parameter);
  }
  std::vector<OptimizerParamGroup> groups;
  if (!decayed.empty()) groups.emplace_back(decayed, std::make_unique<Options>(options));
  if (!others.empty()) {
    groups.emplace_back(others, std::make_unique<Options>(Options(options).weight_decay(0)));
  }
  return groups;
}

template <class Optimizer, class Options>
OptimizerFactory with_moments(const AdamOptions& given) {
  return [given](const std::vector<torch::Tensor>& parameters) {
    const auto options = Options(given.lr)
                             .betas(std::make_tuple(given.beta1, given.beta2))
                             .eps(given.epsilon)
                             .weight_decay(given.weight_decay);
    return std::make_unique<Optimizer>(in_groups(parameters, options, given.decay_norms), options);
  };
}

template <class Optimizer>
OptimizerFactory descent(const SgdOptions& given) {
  return [given](const std::vector<torch::Tensor>& parameters) {
    const auto options = torch::optim::SGDOptions(given.lr)
                             .momentum(given.momentum)
                             .weight_decay(given.weight_decay)
                             .nesterov(given.nesterov && given.momentum > 0);
    return std::make_unique<Optimizer>(in_groups(parameters, options, given.decay_norms), options);
  };
}

}  // namespace

bool is_vector(const torch::Tensor& parameter) {
  return parameter.dim() <= 1 || parameter.numel() == parameter.size(0);
}

OptimizerFactory sgd(const SgdOptions& options) {
  if (options.moments == MomentFormat::eight_bit) return descent<EightBit<ForeachSgd>>(options);
  return descent<ForeachSgd>(options);
}

OptimizerFactory adam(const AdamOptions& options) {
  using torch::optim::Adam;
  if (options.moments == MomentFormat::eight_bit) {
    return with_moments<EightBit<Adam>, torch::optim::AdamOptions>(options);
  }
  return with_moments<Adam, torch::optim::AdamOptions>(options);
}

OptimizerFactory adamw(const AdamOptions& options) {
  using torch::optim::AdamW;
  if (options.moments == MomentFormat::eight_bit) {
    return with_moments<EightBit<AdamW>, torch::optim::AdamWOptions>(options);
  }
  return with_moments<AdamW, torch::optim::AdamWOptions>(options);
}

OptimizerFactory lamb(const AdamOptions& options) {
  if (options.moments == MomentFormat::eight_bit) {
    throw UserError(
        "optimizer.state = \"8bit\" cannot be combined with optimizer.type = \"lamb\"; accepted: "
        "float32, or sgd, adam or adamw");
  }
  return with_moments<Lamb, torch::optim::AdamWOptions>(options);
}

}  // namespace mlaan

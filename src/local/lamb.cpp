// LAMB: layerwise adaptive moments for large batches (You et al. 2020, arXiv:1904.00962).
#include "local/lamb.h"

#include "core/libtorch_compat.h"

#include <mlaan/local/optimizer.h>

#include <ATen/Functions.h>

#include <cmath>
#include <memory>

namespace mlaan {
namespace {

using torch::optim::AdamWParamState;

std::unique_ptr<AdamWParamState> fresh_state(const torch::Tensor& parameter) {
  auto state = std::make_unique<AdamWParamState>();
  state->step(0);
  state->exp_avg(at::zeros_like(parameter));
  state->exp_avg_sq(at::zeros_like(parameter));
  return state;
}

/// |weight| / |direction|, or 1 where one of them is 0.
torch::Tensor ratio_of_norms(const torch::Tensor& weight, const torch::Tensor& direction) {
  const torch::Tensor of_weight = weight.norm();
  const torch::Tensor of_direction = direction.norm();
  const torch::Tensor both = (of_weight > 0).logical_and(of_direction > 0);
  return at::where(both, of_weight / of_direction, at::ones_like(of_weight));
}

}  // namespace

torch::Tensor Lamb::step(LossClosure closure) {
  torch::Tensor loss;
  if (closure != nullptr) {
    const torch::AutoGradMode with_grad(true);
    loss = closure();
  }
  const torch::NoGradGuard no_grad;
  for (auto& group : param_groups_) {
    const auto& options = static_cast<const torch::optim::AdamWOptions&>(group.options());
    for (const auto& parameter : group.params()) {
      if (parameter.grad().defined()) step(parameter, options);
    }
  }
  return loss;
}

void Lamb::step(const torch::Tensor& parameter, const torch::optim::AdamWOptions& options) {
  torch::Tensor weight = parameter.detach();
  const torch::Tensor& gradient = parameter.grad();
  auto& slot = state_[compat::optimizer_state_key(parameter.unsafeGetTensorImpl())];
  if (!slot) slot = fresh_state(weight);
  auto& state = static_cast<AdamWParamState&>(*slot);
  state.step(state.step() + 1);
  const auto [beta1, beta2] = options.betas();
  state.exp_avg().mul_(beta1).add_(gradient, 1 - beta1);
  state.exp_avg_sq().mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
  const auto steps = static_cast<double>(state.step());
  const double mean_share = 1 - std::pow(beta1, steps);
  const double square_share = 1 - std::pow(beta2, steps);
  torch::Tensor direction = (state.exp_avg_sq() / square_share).sqrt_().add_(options.eps());
  direction.reciprocal_().mul_(state.exp_avg()).div_(mean_share);
  if (options.weight_decay() != 0) direction.add_(weight, options.weight_decay());
  if (!is_vector(weight)) direction.mul_(ratio_of_norms(weight, direction));
  weight.sub_(direction, options.lr());
}

}  // namespace mlaan

// Stochastic gradient descent by foreach operators, which update all parameters at once.
#include "local/foreach_sgd.h"

#include "core/libtorch_compat.h"
#include "core/sole_owner.h"

#include <torch/types.h>

#include <memory>

namespace mlaan {

torch::Tensor ForeachSgd::step(LossClosure closure) {
  const torch::NoGradGuard no_grad;
  torch::Tensor loss;
  if (closure != nullptr) {
    const torch::AutoGradMode with_grad(true);
    loss = closure();
  }
  for (auto& group : param_groups_) step(group);
  return loss;
}

void ForeachSgd::step(torch::optim::OptimizerParamGroup& group) {
  const auto& options = static_cast<const torch::optim::SGDOptions&>(group.options());
  std::vector<torch::Tensor> parameters;
  std::vector<torch::Tensor> values;
  std::vector<torch::Tensor> changes;
  for (const auto& parameter : group.params()) {
    const torch::Tensor& gradient = parameter.grad();
    if (!gradient.defined()) continue;
    parameters.push_back(parameter);
    values.push_back(parameter.data());
    changes.push_back(is_sole_owner(gradient) ? gradient : gradient.clone());
  }
  if (parameters.empty()) return;
  if (options.weight_decay() != 0) at::_foreach_add_(changes, values, options.weight_decay());
  if (options.momentum() != 0) {
    auto buffers = move_buffers(parameters, changes, options);
    if (options.nesterov()) {
      at::_foreach_add_(changes, buffers, options.momentum());
    } else {
      changes = std::move(buffers);
    }
  }
  at::_foreach_add_(values, changes, -options.lr());
}

std::vector<torch::Tensor> ForeachSgd::move_buffers(const std::vector<torch::Tensor>& parameters,
                                                    const std::vector<torch::Tensor>& gradients,
                                                    const torch::optim::SGDOptions& options) {
  std::vector<torch::Tensor> buffers;
  std::vector<torch::Tensor> moved;
  std::vector<torch::Tensor> moved_by;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto& state = state_[compat::optimizer_state_key(parameters[i].unsafeGetTensorImpl())];
    if (state) {
      buffers.push_back(static_cast<torch::optim::SGDParamState&>(*state).momentum_buffer());
      moved.push_back(buffers.back());
      moved_by.push_back(gradients[i]);
    } else {
      auto fresh = std::make_unique<torch::optim::SGDParamState>();
      fresh->momentum_buffer(gradients[i].clone());
      buffers.push_back(fresh->momentum_buffer());
      state = std::move(fresh);
    }
  }
  if (!moved.empty()) {
    at::_foreach_mul_(moved, options.momentum());
    at::_foreach_add_(moved, moved_by, 1 - options.dampening());
  }
  return buffers;
}

}  // namespace mlaan

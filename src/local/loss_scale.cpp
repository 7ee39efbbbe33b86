// An adaptive loss scale, which keeps small gradients in float16 from becoming 0.
#include "local/loss_scale.h"

#include <ATen/Functions.h>

namespace mlaan {
namespace {

constexpr const char* value_name = "loss_scale.value";
constexpr const char* finite_steps_name = "loss_scale.finite_steps";

/// One kernel for all gradients.
bool scale_on_cuda(const std::vector<torch::Tensor>& gradients, double factor) {
  const auto options = torch::TensorOptions(gradients.front().device()).dtype(torch::kFloat32);
  torch::Tensor not_finite = at::zeros({1}, options);
  at::_amp_foreach_non_finite_check_and_unscale_(gradients, not_finite,
                                                 at::full({1}, factor, options));
  return not_finite.item<float>() == 0;
}

bool scale_anywhere(const std::vector<torch::Tensor>& gradients, double factor) {
  std::vector<torch::Tensor> finite;
  for (torch::Tensor gradient : gradients) {
    gradient.mul_(factor);
    finite.push_back(at::isfinite(gradient).all());
  }
  return at::stack(finite).all().item<bool>();
}

}  // namespace

LossScale::LossScale(const LossScaleOptions& options)
    : options_(options), value_(options.initial) {}

bool LossScale::unscale(const std::vector<torch::Tensor>& gradients) {
  if (gradients.empty()) return true;
  const torch::NoGradGuard no_grad;
  const bool finite = gradients.front().is_cuda() ? scale_on_cuda(gradients, 1 / value_)
                                                  : scale_anywhere(gradients, 1 / value_);
  all_finite_ = all_finite_ && finite;
  return finite;
}

void LossScale::finish_step() {
  if (!all_finite_) {
    value_ *= options_.backoff;
    finite_steps_ = 0;
  } else if (++finite_steps_ >= options_.growth_interval) {
    value_ *= options_.growth;
    finite_steps_ = 0;
  }
  all_finite_ = true;
}

std::vector<NamedTensor> LossScale::state() const {
  return {{value_name, torch::full({}, value_, torch::kFloat64)},
          {finite_steps_name, torch::full({}, finite_steps_, torch::kInt64)}};
}

void LossScale::set_state(const std::vector<NamedTensor>& state) {
  *this = LossScale(options_);
  for (const auto& named : state) {
    if (named.name == value_name) value_ = named.tensor.item<double>();
    if (named.name == finite_steps_name) finite_steps_ = named.tensor.item<std::int64_t>();
  }
}

}  // namespace mlaan

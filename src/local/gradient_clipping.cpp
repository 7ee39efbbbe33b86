// Clips gradients by their norm.
#include "local/gradient_clipping.h"

#include <ATen/Functions.h>

#include <algorithm>

namespace mlaan {
namespace {

/// Keeps the division finite if all gradients are 0.
constexpr double clip_epsilon = 1e-6;

}  // namespace

void clip_norm(const std::vector<torch::Tensor>& gradients, double highest) {
  if (gradients.empty()) return;
  const torch::NoGradGuard no_grad;
  auto norms = at::_foreach_norm(gradients, 2);
  for (auto& norm : norms) norm = norm.to(norms.front().scalar_type());
  const torch::Tensor factor = (highest / (at::stack(norms).norm() + clip_epsilon)).clamp_max(1);
  for (torch::Tensor gradient : gradients) gradient.mul_(factor);
}

bool is_trained_as_one(const Plan& plan) {
  return std::all_of(
      plan.supervisions.begin(), plan.supervisions.end(), [&](const Supervision& supervision) {
        const bool whole = supervision.first == 0 && supervision.last + 1 == plan.partition.size();
        return whole || highest_weight(supervision) == 0;
      });
}

}  // namespace mlaan

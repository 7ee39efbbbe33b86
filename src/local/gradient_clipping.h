// Clips gradients by their norm.
#pragma once

#include <mlaan/local/plan.h>

#include <torch/types.h>

#include <vector>

namespace mlaan {

/// Scales the gradients, taken as one vector, down to the norm `highest` if theirs is higher, as
/// torch::nn::utils::clip_grad_norm_ does. In place, without waiting for the device.
void clip_norm(const std::vector<torch::Tensor>& gradients, double highest);

/// Whether every window that is ever trained spans all modules, so that one gradient flows through
/// all of them: end-to-end training.
bool is_trained_as_one(const Plan& plan);

}  // namespace mlaan

// Linear layers that recompute their input in the backward pass instead of saving it.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

namespace mlaan {

/// linear(norm(input), weight, bias).
/// \param recomputes whether to save `input` instead of the normalisation's output, which the
///        backward pass then recomputes. The gradients are the same, bit for bit.
torch::Tensor norm_linear(torch::nn::LayerNorm& norm, const torch::Tensor& input,
                          const torch::Tensor& weight, const torch::Tensor& bias, bool recomputes);

/// linear(gelu(input), weight, bias).
/// \param recomputes as in norm_linear(), for the GELU's output.
torch::Tensor gelu_linear(const torch::Tensor& input, const torch::Tensor& weight,
                          const torch::Tensor& bias, bool recomputes);

}  // namespace mlaan

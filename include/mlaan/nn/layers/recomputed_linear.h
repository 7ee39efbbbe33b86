// Linear layers behind cheap functions whose results need not be kept.
#pragma once

#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/types.h>

namespace mlaan {

/// linear(norm(input), weight, bias).
/// \param recomputes keep `input` instead of what the normalisation gives, which is computed again
/// in
///        the backward pass: the same gradients bit for bit.
torch::Tensor norm_linear(torch::nn::LayerNorm& norm, const torch::Tensor& input,
                          const torch::Tensor& weight, const torch::Tensor& bias, bool recomputes);

/// linear(gelu(input), weight, bias), likewise.
torch::Tensor gelu_linear(const torch::Tensor& input, const torch::Tensor& weight,
                          const torch::Tensor& bias, bool recomputes);

}  // namespace mlaan

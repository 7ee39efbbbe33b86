// Attention that keeps little for its backward pass.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// softmax(QKᵀ/√(width of a head)) V of each head, concatenated. Calls LibTorch's fused operator if
/// this release has one; else one autograd node, which keeps only its input and computes the
/// attention weights of one head at a time.
/// \param projected queries, keys and values of all heads, (batch, tokens, 3·width).
/// \return (batch, tokens, width)
torch::Tensor attend(const torch::Tensor& projected, std::int64_t heads);

}  // namespace mlaan

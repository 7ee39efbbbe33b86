// Attention that keeps little for its backward pass.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// softmax(QKᵀ/√width of a head) V of each head, side by side: by LibTorch's fused operator where
/// this release has one, else as one node of the graph that keeps what it was given alone, one
/// head's weights at a time.
/// \param projected queries, keys and values of all heads, (batch, tokens, 3·width).
/// \return (batch, tokens, width)
torch::Tensor attend(const torch::Tensor& projected, std::int64_t heads);

}  // namespace mlaan

// The binary cross-entropy between maps of logits and pixels.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// The mean binary cross-entropy of the logits' sigmoid with pixels from 0 to 1, both of the same
/// shape: a scalar whose gradient goes to the logits alone. LibTorch's own operator
/// (binary_cross_entropy_with_logits) takes twice the time on the CPU.
torch::Tensor pixel_cross_entropy(const torch::Tensor& logits, const torch::Tensor& pixels);

/// The same, computed by LibTorch's operators.
torch::Tensor reference_pixel_cross_entropy(const torch::Tensor& logits,
                                            const torch::Tensor& pixels);

}  // namespace mlaan

// The standard deviation of each channel of each sample over its positions.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// The standard deviation over positions, with their number less 1 as the divisor: (batch, C, h, w)
/// → (batch, C). Its gradient is 0 where the deviation is 0. On the CPU it takes a tenth of the
/// time of LibTorch's std(), and keeps the same bytes: the input.
torch::Tensor channel_deviation(const torch::Tensor& maps);

/// The same, computed by LibTorch's operators.
torch::Tensor reference_channel_deviation(const torch::Tensor& maps);

}  // namespace mlaan

// A convolution of an interpolated map that never computes that map.
#pragma once

#include <mlaan/nn/layers/upsampled_convolution.h>

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

namespace mlaan {

/// Whether mixing the channels before the interpolation takes so few multiply-adds that it is
/// faster, in spite of products with small matrices.
bool is_faster_mixed_first(const torch::Tensor& input, MapSize size,
                           const torch::nn::Conv2dImpl& convolution);

/// upsampled_convolution() with the two steps exchanged: the numbers agree to rounding. One node of
/// autograd's graph.
torch::Tensor convolve_mixed_first(const torch::Tensor& input, MapSize size,
                                   const torch::nn::Conv2dImpl& convolution);

}  // namespace mlaan

// A convolution with few output channels.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

namespace mlaan {

/// Whether the output has so few channels that most of a vector register would stay empty, and
/// convolve_to_few_channels() supports the layer.
bool is_convolution_to_few_channels(const torch::nn::Conv2dImpl& convolution,
                                    const torch::Tensor& input);

/// The output of the layer's own forward pass, up to rounding. Adjacent positions are computed as
/// channels of one position.
torch::Tensor convolve_to_few_channels(const torch::nn::Conv2dImpl& convolution,
                                       const torch::Tensor& input);

}  // namespace mlaan

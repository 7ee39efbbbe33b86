// A convolution to few channels.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

namespace mlaan {

/// Whether the outputs have so few channels that most of a processor's vector would stay empty, and
/// there is a way around that.
bool is_convolution_to_few_channels(const torch::nn::Conv2dImpl& convolution,
                                    const torch::Tensor& input);

/// The same numbers as the layer's own forward pass gives, to rounding. Positions side by side are
/// computed as channels of one.
torch::Tensor convolve_to_few_channels(const torch::nn::Conv2dImpl& convolution,
                                       const torch::Tensor& input);

}  // namespace mlaan

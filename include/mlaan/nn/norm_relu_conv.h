// Batch normalisation, ReLU and convolution in a row, which need not keep what is between them.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

namespace mlaan {

/// convolution(relu(normalisation(input))). Ordinarily the graph keeps the input, for the
/// normalisation, and the ReLU's output, for the convolution. With `rebuilds` it keeps the input
/// alone, and runs normalisation and ReLU again for the backward pass; running statistics are
/// updated once.
/// \param convolution two-dimensional, without bias, zero padding.
torch::Tensor norm_relu_conv(torch::nn::BatchNorm2d& normalisation, torch::nn::Conv2d& convolution,
                             const torch::Tensor& input, bool rebuilds);

}  // namespace mlaan

// Batch normalisation fused with the layers after it, to save less for the backward pass.
//
// On the CPU each function is one node of autograd's graph, whose backward pass overwrites tensors
// that nobody else needs. The results are those of the separate operators, bit for bit, except for
// channels last with a number of channels that is no multiple of 16: LibTorch's kernels are slow
// there, and mlaan's sum in another order.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

namespace mlaan {

/// normalisation(input).
/// \param normalisation with affine parameters.
torch::Tensor norm(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input);

/// normalisation(input) by LibTorch's own operator; by mlaan's node within a JointStatisticsScope,
/// which LibTorch's layers know nothing of. For layers that are not fused with others.
/// \param normalisation with affine parameters.
torch::Tensor plain_norm(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input);
torch::Tensor plain_norm(torch::nn::BatchNorm1d& normalisation, const torch::Tensor& input);

/// convolution(relu(normalisation(input))). The graph saves the input, for the normalisation, and
/// the ReLU's output, for the convolution. With `recomputes`, or if the convolution's weight is
/// frozen, it saves only the input, and normalises again in the backward pass; running statistics
/// are updated once.
/// \param normalisation with affine parameters.
/// \param convolution two-dimensional, without bias, padded with zeros.
torch::Tensor norm_relu_conv(torch::nn::BatchNorm2d& normalisation, torch::nn::Conv2d& convolution,
                             const torch::Tensor& input, bool recomputes);

/// relu(normalisation(input)). The graph saves the input and the output.
/// \param normalisation with affine parameters.
torch::Tensor norm_relu(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input);

/// relu(normalisation(input) + shortcut). The graph saves the input and the output; within a
/// DroppedOutputScope, instead of the output one byte per element: whether the output is above 0.
/// \param normalisation with affine parameters.
/// \param shortcut of the input's shape.
/// \param known_output in a recomputation, the first run's output for the same arguments, of which
///        the result is then an alias; undefined in a first run, or if that output is gone.
torch::Tensor norm_add_relu(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input,
                            torch::Tensor shortcut, const torch::Tensor& known_output = {});

}  // namespace mlaan

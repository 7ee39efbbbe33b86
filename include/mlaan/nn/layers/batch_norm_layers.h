// Batch normalisation together with what follows it, so that less is kept for the backward pass.
//
// On the CPU these run as one node of autograd's graph, whose backward pass writes over what nobody
// else needs; the numbers are those of the separate operators, bit for bit, but where channels lie
// last in memory and are no multiple of 16. There LibTorch's kernels are slow, and these sum in
// another order.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

namespace mlaan {

/// normalisation(input).
/// \param normalisation affine.
torch::Tensor norm(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input);

/// convolution(relu(normalisation(input))). The graph keeps the input, for the normalisation, and
/// the ReLU's output, for the convolution. With `recomputes`, or where the convolution's weight is
/// frozen, it keeps the input alone, and normalises again for the backward pass; running statistics
/// are updated once.
/// \param normalisation affine.
/// \param convolution two-dimensional, without bias, zero padding.
torch::Tensor norm_relu_conv(torch::nn::BatchNorm2d& normalisation, torch::nn::Conv2d& convolution,
                             const torch::Tensor& input, bool recomputes);

/// relu(normalisation(input)). The graph keeps the input and the output.
/// \param normalisation affine.
torch::Tensor norm_relu(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input);

/// relu(normalisation(input) + shortcut). The graph keeps the input and the output; within a
/// DroppedOutputScope, of the output a byte an element that says where it is above 0.
/// \param normalisation affine.
/// \param shortcut of the input's shape.
/// \param known_output what this gave for the same arguments before, when it is run once more for a
///        backward pass. The result is an alias of it. Undefined where that is not so.
torch::Tensor norm_add_relu(torch::nn::BatchNorm2d& normalisation, const torch::Tensor& input,
                            torch::Tensor shortcut, const torch::Tensor& known_output = {});

}  // namespace mlaan

// The edges of autograd's graph to a convolution's input, kernel and bias.
#pragma once

#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/nn/modules/conv.h>
#include <torch/types.h>

namespace mlaan {

/// Whether the gradient of the input, the kernel or the bias will be needed.
inline bool asks_for_gradient(const torch::Tensor& input,
                              const torch::nn::Conv2dImpl& convolution) {
  const torch::Tensor& bias = convolution.bias;
  return torch::GradMode::is_enabled() &&
         (input.requires_grad() || convolution.weight.requires_grad() ||
          (bias.defined() && bias.requires_grad()));
}

/// The edges of an autograd node to the input, the kernel and the bias, in this order.
inline torch::autograd::edge_list edges_to(const torch::Tensor& input,
                                           const torch::nn::Conv2dImpl& convolution) {
  using torch::autograd::impl::gradient_edge;
  const torch::Tensor& bias = convolution.bias;
  return {gradient_edge(input), gradient_edge(convolution.weight),
          bias.defined() ? gradient_edge(bias) : torch::autograd::Edge()};
}

}  // namespace mlaan

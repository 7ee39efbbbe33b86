// A strided 1×1 convolution that oneDNN does not overrun memory in.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

namespace mlaan {

/// Whether oneDNN would compute the kernel's gradient in channels-last float32 maps of fewer
/// channels than one of its blocks: there it writes past its workspace and corrupts the heap, or
/// returns a wrong gradient, depending on the numbers of samples and threads (oneDNN issue 6035;
/// seen in 2.6 and 3.7, on AVX2 and AVX-512).
bool overruns_in_onednn(const torch::nn::Conv2dImpl& convolution, const torch::Tensor& input);

/// convolution(input). Where oneDNN would overrun memory, the pixels that a strided 1×1 convolution
/// reads are taken first, and convolved with a stride of one: the same sums.
torch::Tensor convolve(torch::nn::Conv2dImpl& convolution, const torch::Tensor& input);

}  // namespace mlaan

// A plain 2D convolution, as torch::nn::Conv2d, that is fast for few output channels.
#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <string>

namespace mlaan {

/// (batch, C, h, w) → (batch, C', h', w'), the same as a `torch::nn::Conv2d` with these options.
/// With the name "filter1", parameters are "filter1.weight" and, with a bias, "filter1.bias".
///
/// LibTorch's convolution puts the output channels of one position side by side in SIMD vectors,
/// which stay mostly empty if there are few of them. For channels-last maps on the CPU, two
/// transformations avoid that:
/// - The forward pass computes the outputs of four neighbours in a row as the channels of one
///   convolution, whose kernel is wider by three columns of zeros and whose stride is four
///   positions. In channels last, its output has the same memory layout as the original's.
/// - The kernel's gradient is symmetric in the input and the gradient of the output, so the two are
///   exchanged, and the input's many channels fill the vectors.
class FilterImpl : public torch::nn::Cloneable<FilterImpl> {
 public:
  FilterImpl(const torch::nn::Conv2dOptions& options, std::string name);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input);

 private:
  torch::nn::Conv2dOptions options_;
  std::string name_;
  torch::nn::Conv2d convolution_{nullptr};
};
TORCH_MODULE(Filter);

}  // namespace mlaan

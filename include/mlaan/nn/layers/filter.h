// A plain 2D convolution, as torch::nn::Conv2d, that is fast for few output channels.
#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <string>

namespace mlaan {

/// (batch, C, h, w) → (batch, C', h', w'), as a `torch::nn::Conv2d` of these options gives it.
/// Parameters are "filter1.weight" and, where there is one, "filter1.bias" for the name "filter1".
///
/// Where it gives a few channels alone, a processor's vectors stay mostly empty in LibTorch's
/// convolution, which puts a position's channels side by side in them. Of maps with channels last
/// there are then two ways around that:
/// - forward, the outputs of four neighbours in a row are the channels of one convolution, whose
///   kernel is wider by three columns of zeros and moves four positions at a time; with channels
///   last its output is that of the original, as it lies in memory;
/// - the kernel's gradient is symmetrical in what is read and in the gradient of what is given, so
///   the two change places, and the many channels lie in the vectors.
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

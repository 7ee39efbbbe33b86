// Batch normalisation, ReLU and convolution in a row, which need not keep what is between them.
#pragma once

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>

namespace mlaan {

/// A layer that can keep fewer activations for its backward pass, and rebuild the others: the same
/// gradients bit for bit, for some more time. Derive a `torch::nn` module from it as well.
class RebuildsActivations {
 public:
  virtual ~RebuildsActivations() = default;
  void set_rebuilds(bool on) { rebuilds_ = on; }

 protected:
  RebuildsActivations() = default;
  RebuildsActivations(const RebuildsActivations&) = default;
  RebuildsActivations& operator=(const RebuildsActivations&) = default;
  bool rebuilds() const { return rebuilds_; }

 private:
  bool rebuilds_ = false;
};

/// convolution(relu(normalisation(input))). Ordinarily the graph keeps the input, for the
/// normalisation, and the ReLU's output, for the convolution. With `rebuilds` it keeps the input
/// alone, and runs normalisation and ReLU again for the backward pass; running statistics are
/// updated once.
/// \param convolution two-dimensional, without bias, zero padding.
torch::Tensor norm_relu_conv(torch::nn::BatchNorm2d& normalisation, torch::nn::Conv2d& convolution,
                             const torch::Tensor& input, bool rebuilds);

}  // namespace mlaan

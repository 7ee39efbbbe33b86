// LibTorch's kernels of batch normalisation, with a say in what they compute and where it goes.
#pragma once

#include <torch/types.h>

#include <array>
#include <tuple>

namespace mlaan {

/// What a batch normalisation in training mode keeps for its backward pass, besides its input.
struct BatchNormRecord {
  torch::Tensor scale;
  torch::Tensor shift;
  torch::Tensor mean;               ///< of the batch
  torch::Tensor inverse_deviation;  ///< of the batch
  double epsilon = 0;
};

/// Running statistics of a batch normalisation, undefined where it keeps none.
struct RunningStatistics {
  torch::Tensor mean;
  torch::Tensor variance;
  double momentum = 0;  ///< how far they move towards those of the batch
};

/// Normalises, as training does. Sets the record's mean and inverse deviation and moves the running
/// statistics.
torch::Tensor normalise(const torch::Tensor& input, BatchNormRecord& record,
                        RunningStatistics running);

/// The output once more, the same bits, from the input and what its statistics were: without
/// summing over the batch a second time, where the kernel can be called for that.
torch::Tensor normalise_again(const torch::Tensor& input, const BatchNormRecord& record);

/// Adds that to `sum`, which is of the input's shape: a part at a time where the kernel can be
/// called, so that the whole is never there by itself.
void add_normalised_again(torch::Tensor& sum, const torch::Tensor& input,
                          const BatchNormRecord& record);

/// Gradients of input, scale and shift, those that are wanted: the same bits as LibTorch's own
/// operator gives. That one allocates the input's gradient twice on the CPU; this allocates it
/// once, and where the gradient is nobody else's not at all, since the result is written over it.
std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> batch_norm_backward(
    torch::Tensor gradient, const torch::Tensor& input, const BatchNormRecord& record,
    std::array<bool, 3> wanted);

}  // namespace mlaan

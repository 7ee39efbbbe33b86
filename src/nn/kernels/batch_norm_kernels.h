// Calls LibTorch's batch normalisation kernels, with control over their statistics and outputs.
#pragma once

#include <mlaan/nn/batch_peers.h>

#include <torch/types.h>

#include <array>
#include <memory>
#include <tuple>

namespace mlaan {

/// What a batch normalisation in training mode keeps for its backward pass, besides its input.
struct BatchNormRecord {
  torch::Tensor scale;
  torch::Tensor shift;
  torch::Tensor mean;               ///< of the batch
  torch::Tensor inverse_deviation;  ///< of the batch
  double epsilon = 0;
  /// With whose images the statistics are found; null: of this process's images alone.
  std::shared_ptr<BatchPeers> peers{};
  double count = 0;  ///< elements of a channel in all processes, if there are peers
};

/// Running statistics of a batch normalisation; undefined if it has none.
struct RunningStatistics {
  torch::Tensor mean;
  torch::Tensor variance;
  double momentum = 0;  ///< fraction by which they move towards the batch's
};

/// Normalises as in training, by the images of the record's peers if it has any. Sets the record's
/// mean and inverse deviation, and updates the running statistics.
torch::Tensor normalise(const torch::Tensor& input, BatchNormRecord& record,
                        RunningStatistics running);

/// Recomputes the output, bit for bit, from the input and the recorded statistics; where the kernel
/// can be called directly, without summing over the batch again.
torch::Tensor normalise_again(const torch::Tensor& input, const BatchNormRecord& record);

/// Adds the recomputed output to `sum`, which has the input's shape. Where the kernel can be called
/// directly, this is done in parts, so that the whole output is never allocated.
void add_normalised_again(torch::Tensor& sum, const torch::Tensor& input,
                          const BatchNormRecord& record);

/// The wanted gradients of input, scale and shift, bit for bit as LibTorch's own operator computes
/// them. That operator allocates the input's gradient twice on the CPU; this function allocates it
/// once, or, if nobody else holds `gradient`, writes the result over it. With peers, the input's
/// gradient takes in how all of their outputs depend on it; those of scale and shift are of this
/// process's images.
std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> batch_norm_backward(
    torch::Tensor gradient, const torch::Tensor& input, const BatchNormRecord& record,
    std::array<bool, 3> wanted);

}  // namespace mlaan

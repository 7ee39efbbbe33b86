// Linear probes: how well a linear classifier does on the features of a trained network.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

struct LinearProbeOptions {
  /// Weight of half the squared norm of the weights beside the mean cross-entropy.
  double weight_decay = 1e-4;
  std::int64_t iterations = 200;  ///< of L-BFGS over all samples, at most
};

/// The features of maps as a probe reads them: averaged over a grid of `side` × `side` parts of the
/// map and flattened; with side = 1, global average pooling. Of tokens the mean is taken. What is
/// neither is flattened as it is. Shares no memory with the output.
/// \param output of a unit: samples × channels × height × width, samples × tokens × width, or
///        samples × features.
torch::Tensor pooled_features(const torch::Tensor& output, std::int64_t side);

/// A linear classifier of features that are brought to mean 0 and deviation 1 first.
struct LinearProbe {
  torch::Tensor mean;       ///< of each feature
  torch::Tensor deviation;  ///< of each feature; 1 where it does not vary
  torch::Tensor weight;     ///< classes × features
  torch::Tensor bias;       ///< one a class

  torch::Tensor logits(const torch::Tensor& features) const;
};

/// Trains a probe by L-BFGS from zero weights. The objective is strictly convex in the weights, so
/// nothing depends on a seed, a learning rate or an order of the samples.
/// \param features float32, samples × features.
/// \param labels int64, one a sample, from 0 to classes − 1.
/// \throws UserError for sizes that do not fit one another, and without samples.
LinearProbe train_probe(const torch::Tensor& features, const torch::Tensor& labels,
                        std::int64_t classes, const LinearProbeOptions& options = {});

/// Per cent of the samples whose class is not the first choice; NaN without samples.
double probe_error(const LinearProbe& probe, const torch::Tensor& features,
                   const torch::Tensor& labels);

}  // namespace mlaan

// Linear probes: the error of a linear classifier on the features of a trained network.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

struct LinearProbeOptions {
  /// Factor on half the squared norm of the weights, which is added to the mean cross-entropy.
  double weight_decay = 1e-4;
  std::int64_t iterations = 200;  ///< most iterations of L-BFGS over all samples
};

/// The features that a probe reads: maps are averaged over a grid of `side` × `side` parts and
/// flattened (side = 1: global average pooling), tokens are averaged, other outputs are flattened.
/// The result shares no memory with the output.
/// \param output of a unit: samples × channels × height × width, samples × tokens × width, or
///         samples × features.
torch::Tensor pooled_features(const torch::Tensor& output, std::int64_t side);

/// A linear classifier of features that are first normalised to mean 0 and deviation 1.
struct LinearProbe {
  torch::Tensor mean;       ///< of each feature
  torch::Tensor deviation;  ///< of each feature; 1 for a constant feature
  torch::Tensor weight;     ///< classes × features
  torch::Tensor bias;       ///< classes

  torch::Tensor logits(const torch::Tensor& features) const;
};

/// Trains a probe by L-BFGS from zero weights. The objective is strictly convex in the weights, so
/// the result does not depend on a seed, a learning rate or an order of the samples.
/// \param features float32, samples × features.
/// \param labels int64, samples, from 0 to classes − 1.
/// \throws UserError for sizes that do not match, and without samples.
LinearProbe train_probe(const torch::Tensor& features, const torch::Tensor& labels,
                        std::int64_t classes, const LinearProbeOptions& options = {});

/// Per cent of the samples that are misclassified; NaN without samples.
double probe_error(const LinearProbe& probe, const torch::Tensor& features,
                   const torch::Tensor& labels);

}  // namespace mlaan

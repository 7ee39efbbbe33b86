// Losses: what a supervision minimises.
#pragma once

#include <torch/types.h>

#include <functional>
#include <memory>
#include <string>

namespace mlaan {

/// What a loss may compare an output with.
struct Targets {
  torch::Tensor labels;  ///< int64, one class a sample
  torch::Tensor images;  ///< float, the batch as the backbone got it
};

/// A named function from a net's output and the targets to one number.
struct Loss {
  std::string name;
  std::function<torch::Tensor(const torch::Tensor& output, const Targets& targets)> function;
};

/// Losses are compared by identity: supervisions that share a net and a loss are evaluated once.
using LossPtr = std::shared_ptr<const Loss>;

/// Mean cross-entropy of logits (batch × classes) with the labels.
/// \param label_smoothing share of the target spread evenly over all classes, from 0 to 1.
LossPtr cross_entropy(double label_smoothing = 0);

}  // namespace mlaan

// LAMB: layerwise adaptive moments for large batches (You et al. 2020, arXiv:1904.00962).
#pragma once

#include <torch/optim/adamw.h>

namespace mlaan {

/// With m and v the bias-corrected moments of AdamW, and w a weight:
///
///     r = m / (√v + ε) + weight_decay · w,    w ← w − lr · (|w| / |r|) · r
///
/// The ratio of norms is 1 if one of them is 0, and for vectors (see is_vector()), whose small
/// norms would make it too low. Options and state are AdamW's.
class Lamb : public torch::optim::AdamW {
 public:
  using AdamW::AdamW;

  torch::Tensor step(LossClosure closure = nullptr) override;

 private:
  void step(const torch::Tensor& parameter, const torch::optim::AdamWOptions& options);
};

}  // namespace mlaan

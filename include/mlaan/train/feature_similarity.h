// How alike two networks' features are: linear centred kernel alignment, CKA (Kornblith et al.
// 2019, arXiv:1905.00414).
#pragma once

#include <mlaan/nn/backbone.h>

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// How the Hilbert-Schmidt independence criterion, whose normalised form CKA is, is estimated from
/// N samples.
enum class HsicEstimator : std::uint8_t {
  /// The plain one, of Kornblith et al.: too high, the more so the more features there are for each
  /// sample, whatever the features.
  biased,
  /// Without bias (Song et al. 2012): 0 on average for features that have nothing to do with one
  /// another, so it can be slightly below 0. Needs four samples.
  unbiased,
};

/// What CKA needs to know of features: the N × N matrix of the samples' inner products, centred as
/// the estimator asks, of norm 1, in float64. It is the same for features that are rotated or
/// scaled as a whole. All zero for features that do not vary.
/// \param features samples × anything.
/// \throws UserError for fewer samples than the estimator needs.
torch::Tensor similarity_pattern(const torch::Tensor& features, HsicEstimator estimator);

/// CKA of every pattern of `first` (rows) with every one of `second` (columns), of the same
/// samples: the inner products of patterns. This equals the form over features,
/// ‖YᵀX‖² / (‖XᵀX‖·‖YᵀY‖), and is cheaper where there are more features than samples.
std::vector<std::vector<double>> pattern_similarity(const std::vector<torch::Tensor>& first,
                                                    const std::vector<torch::Tensor>& second);

/// CKA of two lists of features of the same samples.
double feature_similarity(const torch::Tensor& first, const torch::Tensor& second,
                          HsicEstimator estimator);

/// The pattern of each unit's whole output, not pooled, in evaluation mode.
/// \param images as the backbone takes them, on its device; run in parts of `batch`.
std::vector<torch::Tensor> unit_patterns(const Backbone& backbone, const torch::Tensor& images,
                                         std::int64_t batch, HsicEstimator estimator);

}  // namespace mlaan

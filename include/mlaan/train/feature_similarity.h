// Similarity of two networks' features: linear centred kernel alignment (CKA).
#pragma once

#include <mlaan/nn/backbone.h>

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// How the Hilbert-Schmidt independence criterion is estimated from N samples. CKA (Kornblith et
/// al. 2019, arXiv:1905.00414) is its normalised form.
enum class HsicEstimator : std::uint8_t {
  /// The estimator of Kornblith et al., which is too high for any features, the more so the more
  /// features there are per sample.
  biased,
  /// Without bias (Song et al. 2012): 0 on average for independent features, so it can be slightly
  /// below 0. Needs four samples.
  unbiased,
};

/// What CKA needs of features: the N × N matrix of the samples' inner products, centred as the
/// estimator requires and scaled to norm 1, in float64. It does not change if the features are
/// rotated or scaled as a whole. All zero for features that do not vary.
/// \param features samples × anything.
/// \throws UserError for fewer samples than the estimator needs.
torch::Tensor similarity_pattern(const torch::Tensor& features, HsicEstimator estimator);

/// CKA of every pattern of `first` (rows) with every pattern of `second` (columns), all of the same
/// samples: the inner products of the patterns. This equals the form over features, ‖YᵀX‖² /
/// (‖XᵀX‖·‖YᵀY‖), and is cheaper if there are more features than samples.
std::vector<std::vector<double>> pattern_similarity(const std::vector<torch::Tensor>& first,
                                                    const std::vector<torch::Tensor>& second);

/// CKA of two lists of features of the same samples.
double feature_similarity(const torch::Tensor& first, const torch::Tensor& second,
                          HsicEstimator estimator);

/// The pattern of each unit's whole output, without pooling, in evaluation mode.
/// \param images inputs of the backbone, on its device; processed in parts of `batch` images.
std::vector<torch::Tensor> unit_patterns(const Backbone& backbone, const torch::Tensor& images,
                                         std::int64_t batch, HsicEstimator estimator);

}  // namespace mlaan

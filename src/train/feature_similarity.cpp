// Linear centred kernel alignment of features, CKA (Kornblith et al. 2019, arXiv:1905.00414).
#include <mlaan/core/error.h>
#include <mlaan/train/feature_similarity.h>

#include <string>

namespace mlaan {
namespace {

/// HKH, with H = I − 11ᵀ/N.
torch::Tensor centred(const torch::Tensor& products) {
  const auto rows = products.mean(1, /*keepdim=*/true);
  return products - rows - rows.t() + products.mean();
}

/// The matrix whose inner product with another is, up to a constant factor, the unbiased estimate
/// of HSIC (Székely and Rizzo 2014): zero diagonal, rows and columns centred by N − 2.
torch::Tensor centred_without_bias(torch::Tensor products) {
  const auto samples = static_cast<double>(products.size(0));
  products.fill_diagonal_(0);
  const auto rows = products.sum(1, /*keepdim=*/true) / (samples - 2);
  const auto all = products.sum() / ((samples - 1) * (samples - 2));
  auto result = products - rows - rows.t() + all;
  return result.fill_diagonal_(0);
}

}  // namespace

torch::Tensor similarity_pattern(const torch::Tensor& features, HsicEstimator estimator) {
  const std::int64_t needed = estimator == HsicEstimator::unbiased ? 4 : 2;
  if (features.size(0) < needed) {
    throw UserError("similarity of features needs at least " + std::to_string(needed) +
                    " samples, not " + std::to_string(features.size(0)));
  }
  const torch::NoGradGuard no_grad;
  auto rows = features.flatten(1).to(torch::kFloat64);
  // Centring changes neither estimate, and avoids rounding in differences of large numbers.
  rows = rows - rows.mean(0);
  const auto products = torch::mm(rows, rows.t());
  const auto pattern =
      estimator == HsicEstimator::unbiased ? centred_without_bias(products) : centred(products);
  const double norm = pattern.norm().item<double>();
  return norm > 0 ? pattern / norm : pattern;
}

std::vector<std::vector<double>> pattern_similarity(const std::vector<torch::Tensor>& first,
                                                    const std::vector<torch::Tensor>& second) {
  std::vector<std::vector<double>> matrix;
  for (const auto& left : first) {
    std::vector<double> row;
    for (const auto& right : second) {
      if (left.sizes() != right.sizes()) {
        throw UserError("similarity needs features of the same samples, not of " +
                        std::to_string(left.size(0)) + " and " + std::to_string(right.size(0)));
      }
      row.push_back(torch::dot(left.flatten(), right.flatten()).item<double>());
    }
    matrix.push_back(std::move(row));
  }
  return matrix;
}

double feature_similarity(const torch::Tensor& first, const torch::Tensor& second,
                          HsicEstimator estimator) {
  return pattern_similarity({similarity_pattern(first, estimator)},
                            {similarity_pattern(second, estimator)})[0][0];
}

std::vector<torch::Tensor> unit_patterns(const Backbone& backbone, const torch::Tensor& images,
                                         std::int64_t batch, HsicEstimator estimator) {
  const torch::NoGradGuard no_grad;
  backbone.train(false);
  // Cloned, since the first unit may overwrite its input.
  std::vector<torch::Tensor> parts;
  for (const auto& part : images.split(batch)) parts.push_back(part.clone());
  std::vector<torch::Tensor> patterns;
  for (const auto& unit : backbone.units()) {
    for (auto& part : parts) part = unit.forward(std::move(part));
    std::vector<torch::Tensor> rows;
    // flatten() uses the logical order of elements, which does not depend on the memory format.
    for (const auto& part : parts) rows.push_back(part.flatten(1));
    patterns.push_back(similarity_pattern(torch::cat(rows), estimator));
  }
  return patterns;
}

}  // namespace mlaan

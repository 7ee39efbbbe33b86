#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/nn/backbones.h>
#include <mlaan/train/feature_similarity.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

constexpr auto estimators = {HsicEstimator::biased, HsicEstimator::unbiased};

torch::Tensor random_features(std::int64_t samples, std::int64_t features, std::uint64_t seed) {
  torch::manual_seed(seed);
  return torch::randn({samples, features}, torch::kFloat64);
}

/// Kornblith et al. 2019, equation 1 and below: tr(KHLH) / (N − 1)².
double naive_biased(const torch::Tensor& k, const torch::Tensor& l) {
  const auto n = k.size(0);
  const auto h = torch::eye(n, torch::kFloat64) -
                 torch::full({n, n}, 1.0 / static_cast<double>(n), torch::kFloat64);
  return k.mm(h).mm(l).mm(h).trace().item<double>() / static_cast<double>((n - 1) * (n - 1));
}

/// Song et al. 2012, equation 5, by loops.
double naive_unbiased(const torch::Tensor& k, const torch::Tensor& l) {
  const auto n = k.size(0);
  const auto at = [](const torch::Tensor& matrix, std::int64_t i, std::int64_t j) {
    return i == j ? 0 : matrix[i][j].item<double>();
  };
  double trace = 0;
  double all_k = 0;
  double all_l = 0;
  double between = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    double row_k = 0;
    double row_l = 0;
    for (std::int64_t j = 0; j < n; ++j) {
      trace += at(k, i, j) * at(l, j, i);
      row_k += at(k, j, i);
      row_l += at(l, i, j);
    }
    all_k += row_k;
    all_l += row_l;
    between += row_k * row_l;
  }
  const auto count = static_cast<double>(n);
  return (trace + all_k * all_l / ((count - 1) * (count - 2)) - 2 / (count - 2) * between) /
         (count * (count - 3));
}

TEST(FeatureSimilarity, EqualsTheFormulasOfThePapers) {
  const auto x = random_features(30, 7, 1) + 3;
  const auto y = x.slice(1, 0, 4) + 0.8 * random_features(30, 4, 2);
  const auto k = x.mm(x.t());
  const auto l = y.mm(y.t());
  for (const auto estimator : estimators) {
    const auto hsic = estimator == HsicEstimator::biased ? naive_biased : naive_unbiased;
    const double expected = hsic(k, l) / std::sqrt(hsic(k, k) * hsic(l, l));
    EXPECT_NEAR(feature_similarity(x, y, estimator), expected, 1e-10);
    EXPECT_GT(expected, 0.2);
    EXPECT_LT(expected, 0.95);
  }
  const auto xc = x - x.mean(0);
  const auto yc = y - y.mean(0);
  const auto over_features =
      yc.t().mm(xc).norm().pow(2) / (xc.t().mm(xc).norm() * yc.t().mm(yc).norm());
  EXPECT_NEAR(feature_similarity(x, y, HsicEstimator::biased), over_features.item<double>(), 1e-10);
}

TEST(FeatureSimilarity, DoesNotSeeRotationScaleOrShift) {
  const auto x = random_features(40, 6, 1);
  const auto rotation = std::get<0>(torch::linalg_qr(random_features(6, 6, 2)));
  const auto stretched = x * torch::logspace(0, 2, 6, 10, torch::kFloat64);
  for (const auto estimator : estimators) {
    EXPECT_NEAR(feature_similarity(x, x, estimator), 1, 1e-12);
    EXPECT_NEAR(feature_similarity(x, -3.5 * x.mm(rotation) + 20, estimator), 1, 1e-10);
    EXPECT_LT(feature_similarity(x, stretched, estimator), 0.9) << "unequal scales it does see";
  }
}

TEST(FeatureSimilarity, IsNearNothingForFeaturesThatHaveNothingInCommon) {
  EXPECT_NEAR(feature_similarity(random_features(2000, 10, 1), random_features(2000, 10, 2),
                                 HsicEstimator::biased),
              0, 0.02);
  // More features than samples.
  const auto x = random_features(100, 1000, 3);
  const auto y = random_features(100, 1000, 4);
  EXPECT_NEAR(feature_similarity(x, y, HsicEstimator::unbiased), 0, 0.1);
  EXPECT_GT(feature_similarity(x, y, HsicEstimator::biased), 0.8) << "its bias";
}

TEST(FeatureSimilarity, FeaturesThatDoNotVaryAreLikeNone) {
  const auto x = random_features(10, 3, 1);
  for (const auto estimator : estimators) {
    EXPECT_EQ(feature_similarity(x, torch::full({10, 2}, 5.0), estimator), 0);
  }
  expect_user_error([&] { similarity_pattern(x.slice(0, 0, 3), HsicEstimator::unbiased); },
                    {"at least 4", "3"});
  expect_user_error([&] { feature_similarity(x, x.slice(0, 0, 8), HsicEstimator::unbiased); },
                    {"same samples", "10", "8"});
}

TEST(FeatureSimilarity, UnitsAreThoseOfTheForwardPass) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  const Backbone other = make_backbone("resnet8", 10, {3, 32, 32}, 1);
  torch::manual_seed(0);
  const auto images = torch::randn({12, 3, 32, 32});
  const auto before = images.clone();
  const auto patterns = unit_patterns(backbone, images, 5, HsicEstimator::unbiased);
  expect_same(images, before, "the images");
  ASSERT_EQ(patterns.size(), backbone.size());
  const torch::NoGradGuard no_grad;
  auto value = images.clone();
  for (std::size_t i = 0; i < backbone.size(); ++i) {
    value = backbone.units()[i].forward(value);
    expect_close(patterns[i], similarity_pattern(value.clone(), HsicEstimator::unbiased), 1e-5,
                 backbone.units()[i].name());
  }
  const auto matrix =
      pattern_similarity(patterns, unit_patterns(other, images, 12, HsicEstimator::unbiased));
  const auto self = pattern_similarity(patterns, patterns);
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    EXPECT_NEAR(self[i][i], 1, 1e-12);
    EXPECT_LT(matrix[i][i], 0.999);
  }
}

}  // namespace
}  // namespace mlaan::testing

// How near two tensors are.
#pragma once

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <string>

namespace mlaan::testing {

/// Largest difference, as a share of the largest entry of `expected` (or of 1e-30).
inline double relative_difference(const torch::Tensor& actual, const torch::Tensor& expected) {
  const auto left = actual.to(torch::kFloat64);
  const auto right = expected.to(torch::kFloat64);
  const double scale = std::max(right.abs().max().item<double>(), 1e-30);
  return (left - right).abs().max().item<double>() / scale;
}

/// Norm of the difference, as a share of the norm of `expected` (or of 1e-30).
inline double relative_norm(const torch::Tensor& actual, const torch::Tensor& expected) {
  const auto right = expected.to(torch::kFloat64);
  const double scale = std::max(right.norm().item<double>(), 1e-30);
  return (actual.to(torch::kFloat64) - right).norm().item<double>() / scale;
}

inline void expect_close(const torch::Tensor& actual, const torch::Tensor& expected,
                         double tolerance, const std::string& what) {
  ASSERT_TRUE(actual.defined()) << what;
  ASSERT_EQ(actual.sizes(), expected.sizes()) << what;
  EXPECT_TRUE(torch::isfinite(actual).all().item<bool>()) << what;
  EXPECT_LE(relative_difference(actual, expected), tolerance) << what;
}

/// Bit for bit.
inline void expect_same(const torch::Tensor& actual, const torch::Tensor& expected,
                        const std::string& what) {
  ASSERT_TRUE(actual.defined()) << what;
  EXPECT_TRUE(torch::equal(actual, expected)) << what;
}

}  // namespace mlaan::testing

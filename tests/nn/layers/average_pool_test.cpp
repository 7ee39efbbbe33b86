#include "support/closeness.h"

#include <mlaan/nn/layers/average_pool.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(AveragePool, AgreesWithLibTorchWhateverTheGradientsLayout) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const auto maps = torch::randn({4, 6, 9, 8}).contiguous(format).requires_grad_(true);
    const auto expected = torch::avg_pool2d(maps, {2, 4}, {2, 4});
    const auto cotangent = torch::randn(expected.sizes());
    expected.backward(cotangent);
    const auto gradient = maps.grad().clone();
    for (const auto layout : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      maps.mutable_grad() = torch::Tensor();
      AveragePool pool(2, 4);
      const auto actual = pool(maps);
      actual.backward(cotangent.contiguous(layout));
      expect_same(actual, expected, "output");
      expect_same(maps.grad(), gradient, "gradient");
      EXPECT_TRUE(maps.grad().is_contiguous(format));
    }
  }
}

TEST(AveragePool, ReadsMapsWithoutGradient) {
  AveragePool pool(2, 2);
  EXPECT_FALSE(pool(torch::ones({1, 1, 4, 4})).requires_grad());
}

}  // namespace
}  // namespace mlaan::testing

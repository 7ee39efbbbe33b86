#include "local/gradient_tap.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// What arrives at maps whose every channel is summed over all positions.
torch::Tensor gradient_of_sum(const torch::Tensor& maps, const torch::Tensor& cotangent) {
  const GradientTap tap(maps);
  send_back(tap.tensor().sum({2, 3}), cotangent, /*keep_graph=*/false, {tap.edge()});
  return tap.take();
}

torch::Tensor random_maps(std::int64_t channels, torch::Dtype dtype, torch::MemoryFormat format) {
  return torch::randn({3, channels, 4, 5}).to(dtype).contiguous(format);
}

TEST(GradientTap, ABroadcastStaysOne) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const auto cotangent = torch::randn({3, 16});
    const auto gradient = gradient_of_sum(random_maps(16, torch::kFloat32, format), cotangent);
    EXPECT_EQ(gradient.storage().nbytes(), cotangent.nbytes());
  }
}

TEST(GradientTap, OfFewChannelsABroadcastGetsARow) {
  const auto cotangent = torch::randn({3, 16}).to(torch::kBFloat16);
  const auto expected = cotangent.view({3, 16, 1, 1}).expand({3, 16, 4, 5});
  const auto of = [&](torch::MemoryFormat format) {
    return gradient_of_sum(random_maps(16, torch::kBFloat16, format), cotangent);
  };
  const auto last = of(torch::MemoryFormat::ChannelsLast);
  EXPECT_TRUE(torch::equal(last, expected));
  EXPECT_EQ(last.storage().nbytes(), 5 * cotangent.nbytes());
  EXPECT_EQ(last.stride(1), 1);
  EXPECT_EQ(last.stride(3), 16);
  const auto first = of(torch::MemoryFormat::Contiguous);
  EXPECT_TRUE(torch::equal(first, expected));
  EXPECT_EQ(first.storage().nbytes(), cotangent.nbytes());
}

TEST(GradientTap, WithoutAGradientThereIsNone) {
  EXPECT_FALSE(GradientTap(random_maps(16, torch::kBFloat16, torch::MemoryFormat::ChannelsLast))
                   .take()
                   .defined());
}

}  // namespace
}  // namespace mlaan::testing

#include "nn/kernels/channel_deviation.h"

#include "support/closeness.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(ChannelDeviation, AgreesWithLibTorch) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    auto maps = (torch::randn({4, 16, 24, 24}, torch::kFloat64) * 3 + 7).contiguous(format);
    const auto cotangent = torch::randn({4, 16}, torch::kFloat64);
    maps.requires_grad_(true);
    const auto actual = channel_deviation(maps);
    actual.backward(cotangent);
    const auto gradient = maps.grad().clone();
    maps.mutable_grad() = torch::Tensor();
    const auto expected = maps.flatten(2).std(2);
    expected.backward(cotangent);
    expect_close(actual, expected, 1e-12, "deviation");
    expect_close(gradient, maps.grad(), 1e-12, "gradient");
    maps.mutable_grad() = torch::Tensor();
    const auto reference = reference_channel_deviation(maps);
    reference.backward(cotangent);
    expect_close(reference, expected, 1e-12, "by LibTorch's operators");
    expect_close(gradient, maps.grad(), 1e-12, "gradient by LibTorch's operators");
  }
}

TEST(ChannelDeviation, IsPreciseFarFromZero) {
  const auto maps = torch::randn({2, 3, 8, 8}) + 1000;
  expect_close(channel_deviation(maps), maps.to(torch::kFloat64).flatten(2).std(2), 1e-4,
               "deviation");
}

TEST(ChannelDeviation, HasNoGradientWhereNothingVaries) {
  for (const auto& deviation_of : {channel_deviation, reference_channel_deviation}) {
    const auto maps = torch::ones({2, 3, 4, 4}).requires_grad_(true);
    const auto deviation = deviation_of(maps);
    deviation.sum().backward();
    expect_same(deviation, torch::zeros({2, 3}), "deviation");
    expect_same(maps.grad(), torch::zeros_like(maps), "gradient");
  }
}

}  // namespace
}  // namespace mlaan::testing

#include "nn/kernels/relu_backward.h"

#include "support/closeness.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// Of rows that no number of parts divides.
torch::Tensor maps(torch::MemoryFormat format) {
  return torch::randn({5, 16, 37, 32}).contiguous(format);
}

torch::Tensor separate(const torch::Tensor& gradient, const torch::Tensor& output) {
  return torch::where(output == 0, torch::zeros({}), gradient);
}

TEST(ReluBackward, AByteAnElementIsEnough) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const auto output = maps(format).relu();
    const auto open = open_where_positive(output);
    const auto gradient = maps(format);
    const auto expected = separate(gradient, output);
    expect_same(relu_backward_where_open(gradient, open, false), expected, "a new map");
    expect_same(relu_backward_where_open(gradient.clone(), open, true), expected, "in place");
    expect_same(relu_backward(gradient.clone(), output, true), expected, "from the output");
    expect_same(relu_backward_where_open(gradient.contiguous(), open, false), expected,
                "another layout");
    const auto broadcast = torch::randn({5, 16, 1, 1}).expand(output.sizes());
    expect_same(relu_backward_where_open(broadcast, open, false), separate(broadcast, output),
                "a broadcast");
  }
}

TEST(ReluBackward, LeavesTheGradientAloneUnlessInPlace) {
  const auto output = maps(torch::MemoryFormat::ChannelsLast).relu();
  const auto gradient = maps(torch::MemoryFormat::ChannelsLast);
  const auto before = gradient.clone();
  relu_backward_where_open(gradient, open_where_positive(output), false);
  relu_backward(gradient, output, false);
  expect_same(gradient, before, "gradient");
}

TEST(ReluBackward, LetsNoInfinityThroughWhereItIsClosed) {
  const auto output = torch::tensor({{0.F, 2.F}});
  const auto gradient = torch::full({1, 2}, std::numeric_limits<float>::infinity());
  expect_same(relu_backward_where_open(gradient, open_where_positive(output), false),
              torch::tensor({{0.F, std::numeric_limits<float>::infinity()}}), "gradient");
}

TEST(ReluBackward, TakesNoSamples) {
  const auto none = torch::zeros({0, 3});
  EXPECT_EQ(relu_backward_where_open(none.clone(), open_where_positive(none), true).numel(), 0);
}

}  // namespace
}  // namespace mlaan::testing

#include "nn/kernels/strided_pointwise_convolution.h"

#include "support/closeness.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

torch::nn::Conv2d pointwise(std::int64_t in, std::int64_t stride) {
  torch::manual_seed(4);
  torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(in, 16, 1).stride(stride).bias(false));
  convolution->weight.set_data(convolution->weight.contiguous(torch::MemoryFormat::ChannelsLast));
  return convolution;
}

torch::Tensor maps(std::int64_t samples, std::int64_t channels) {
  return torch::randn({samples, channels, 15, 16}).contiguous(torch::MemoryFormat::ChannelsLast);
}

/// The output, and the gradients of the input and of the kernel for the sum of squares.
std::vector<torch::Tensor> results_of(torch::nn::Conv2d& convolution, const torch::Tensor& input) {
  const auto leaf = input.detach().requires_grad_(true);
  const auto output = convolve(*convolution, leaf);
  const auto gradients =
      torch::autograd::grad({output.square().sum()}, {leaf, convolution->weight});
  return {output, gradients[0], gradients[1]};
}

TEST(StridedPointwiseConvolution, FewChannelsGiveTheGradientsOfFloat64) {
  for (const std::int64_t channels : {3, 4, 8, 12}) {
    for (const std::int64_t samples : {1, 2, 3, 5, 8}) {
      auto convolution = pointwise(channels, 2);
      const auto input = maps(samples, channels);
      ASSERT_EQ(overruns_in_onednn(*convolution, input), at::hasMKLDNN());
      const auto results = results_of(convolution, input);
      convolution->to(torch::kFloat64);
      const auto expected = results_of(convolution, input.to(torch::kFloat64));
      for (std::size_t i = 0; i < results.size(); ++i) {
        expect_close(results[i].to(torch::kFloat64), expected[i], 1e-5,
                     std::to_string(channels) + " channels, " + std::to_string(samples) +
                         " samples, result " + std::to_string(i));
      }
    }
  }
}

TEST(StridedPointwiseConvolution, OthersAreLeftToLibTorch) {
  auto strided = pointwise(8, 2);
  auto unstrided = pointwise(8, 1);
  auto wide = pointwise(16, 2);
  EXPECT_FALSE(overruns_in_onednn(*unstrided, maps(3, 8)));
  EXPECT_FALSE(overruns_in_onednn(*wide, maps(3, 16)));
  EXPECT_FALSE(overruns_in_onednn(*strided, maps(3, 8).to(torch::kFloat64)));
  const auto input = maps(3, 16);
  EXPECT_TRUE(torch::equal(convolve(*wide, input), wide(input)));
}

}  // namespace
}  // namespace mlaan::testing

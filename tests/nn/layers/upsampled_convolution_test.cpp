#include "core/autocast_scope.h"
#include "support/closeness.h"

#include <mlaan/measure/cost.h>
#include <mlaan/nn/layers/upsampled_convolution.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <vector>

namespace mlaan::testing {
namespace {

namespace F = torch::nn::functional;

torch::Tensor one_after_the_other(const torch::Tensor& maps, MapSize size,
                                  torch::nn::Conv2d& convolution) {
  const auto options = F::InterpolateFuncOptions()
                           .size(std::vector<std::int64_t>{size.rows, size.columns})
                           .mode(torch::kBilinear)
                           .align_corners(true);
  return convolution(F::interpolate(maps, options));
}

torch::nn::Conv2d convolution_of(torch::nn::Conv2dOptions options) {
  torch::nn::Conv2d convolution(options);
  convolution->to(torch::kFloat64);
  return convolution;
}

/// The output, and the gradients of what is given and of the convolution's parameters.
std::vector<torch::Tensor> results_of(torch::Tensor (*function)(const torch::Tensor&, MapSize,
                                                                torch::nn::Conv2d&),
                                      const torch::Tensor& maps, MapSize size,
                                      torch::nn::Conv2d& convolution) {
  const auto leaf = maps.detach().requires_grad_(true);
  const auto output = function(leaf, size, convolution);
  const auto positions =
      torch::arange(output.numel(), output.options()).view(output.sizes()).remainder(17);
  std::vector<torch::Tensor> inputs = convolution->parameters();
  inputs.push_back(leaf);
  auto results = torch::autograd::grad({(output * positions).sum()}, inputs);
  results.push_back(output.detach());
  return results;
}

TEST(UpsampledConvolution, AgreesWithUpsamplingAndConvolution) {
  const auto options = [](std::int64_t rows, std::int64_t columns) {
    return torch::nn::Conv2dOptions(24, 4, {rows, columns}).padding({rows / 2, columns / 2});
  };
  const std::vector<torch::nn::Conv2dOptions> convolutions{options(3, 3), options(1, 1),
                                                           options(5, 3), options(3, 3).bias(false),
                                                           options(3, 3).stride({2, 1})};
  for (const auto& convolution_options : convolutions) {
    for (const MapSize size : {MapSize{14, 20}, MapSize{7, 9}, MapSize{4, 5}}) {
      for (const auto format :
           {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
        auto convolution = convolution_of(convolution_options);
        const auto maps = torch::randn({19, 24, 4, 5}, torch::kFloat64).contiguous(format);
        const auto actual = results_of(&upsampled_convolution, maps, size, convolution);
        const auto expected = results_of(&one_after_the_other, maps, size, convolution);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t i = 0; i < actual.size(); ++i) {
          expect_close(actual[i], expected[i], 1e-12, std::to_string(i));
        }
        EXPECT_TRUE(actual.back().is_contiguous(format));
      }
    }
  }
}

TEST(UpsampledConvolution, TakesFewerProductsForwardAndBackward) {
  auto convolution = convolution_of(torch::nn::Conv2dOptions(64, 12, 3).padding(1));
  const auto maps = torch::randn({2, 64, 8, 8}, torch::kFloat64);
  const measure::MultiplyAddCounter counter;
  results_of(&upsampled_convolution, maps, {32, 32}, convolution);
  EXPECT_EQ(counter.executed(),
            2LL * (3 * 8 * 8 * 9 * 64 * 12 + 2 * (3 * 12 * 8 * 32 * 3 * 8 + 12 * 32 * 32 * 3 * 8)));
}

TEST(UpsampledConvolution, CountsAsWhatItIsDefinedAs) {
  const auto maps = torch::randn({2, 64, 8, 8}, torch::kFloat64);
  const std::int64_t forward = 2LL * 32 * 32 * 9 * 64 * 12;
  for (const bool trains : {true, false}) {
    auto convolution = convolution_of(torch::nn::Conv2dOptions(64, 12, 3).padding(1));
    for (auto& parameter : convolution->parameters()) parameter.requires_grad_(trains);
    const auto leaf = maps.detach().requires_grad_(true);
    const auto products = [&](auto function) {
      const measure::MultiplyAddCounter counter;
      function(leaf, {32, 32}, convolution).sum().backward();
      return counter.count();
    };
    const std::int64_t expected = (trains ? 3 : 2) * forward;
    EXPECT_EQ(products(&one_after_the_other), expected) << trains;
    EXPECT_EQ(products(&upsampled_convolution), expected) << trains;
  }
}

TEST(UpsampledConvolution, ComputesOnlyTheGradientsThatAreAskedFor) {
  auto convolution = convolution_of(torch::nn::Conv2dOptions(16, 2, 3).padding(1));
  const auto maps = torch::randn({2, 16, 4, 4}, torch::kFloat64);
  const auto expected = results_of(&one_after_the_other, maps, {8, 8}, convolution);
  const auto gradient_of = [&](const torch::Tensor& wanted, const torch::Tensor& read) {
    const auto output = upsampled_convolution(read, {8, 8}, convolution);
    const auto positions =
        torch::arange(output.numel(), output.options()).view(output.sizes()).remainder(17);
    return torch::autograd::grad({(output * positions).sum()}, {wanted})[0];
  };
  expect_close(gradient_of(convolution->weight, maps), expected[0], 1e-12, "kernel");
  expect_close(gradient_of(convolution->bias, maps), expected[1], 1e-12, "bias");
  for (auto& parameter : convolution->parameters()) parameter.requires_grad_(false);
  const auto leaf = maps.detach().requires_grad_(true);
  expect_close(gradient_of(leaf, leaf), expected[2], 1e-12, "maps");
  EXPECT_FALSE(upsampled_convolution(maps, {8, 8}, convolution).requires_grad());
}

TEST(UpsampledConvolution, UnderAutocastTypesAreAutocasts) {
  torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(16, 2, 3).padding(1));
  const auto maps = torch::randn({2, 16, 4, 4});
  const AutocastScope scope(torch::kCPU, Precision::bfloat16);
  const auto output = upsampled_convolution(maps, {8, 8}, convolution);
  EXPECT_EQ(output.scalar_type(), torch::kBFloat16);
  expect_same(output, one_after_the_other(maps, {8, 8}, convolution), "output");
}

}  // namespace
}  // namespace mlaan::testing

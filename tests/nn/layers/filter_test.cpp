#include "core/autocast_scope.h"
#include "support/closeness.h"

#include <mlaan/measure/cost.h>
#include <mlaan/nn/layers/filter.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

torch::nn::Conv2dOptions options_of(std::int64_t in, std::int64_t out, std::int64_t rows,
                                    std::int64_t columns) {
  return torch::nn::Conv2dOptions(in, out, {rows, columns}).padding({rows / 2, columns / 2});
}

/// A filter and LibTorch's convolution with the same parameters.
struct Pair {
  explicit Pair(const torch::nn::Conv2dOptions& options)
      : filter(options, "filter1"), convolution(options) {
    filter->to(torch::kFloat64);
    convolution->to(torch::kFloat64);
    const torch::NoGradGuard no_grad;
    for (auto& parameter : filter->named_parameters()) {
      parameter.value().copy_(convolution->named_parameters()[parameter.key().substr(8)]);
    }
  }

  Filter filter;
  torch::nn::Conv2d convolution;
};

/// The output, and the gradients of parameters and input.
template <class Module>
std::vector<torch::Tensor> results_of(Module& module, const torch::Tensor& maps) {
  const auto leaf = maps.detach().requires_grad_(true);
  const auto output = module->forward(leaf);
  const auto cotangent =
      torch::arange(output.numel(), output.options()).view(output.sizes()).remainder(17);
  auto inputs = module->parameters();
  inputs.push_back(leaf);
  auto results = torch::autograd::grad({output}, inputs, {cotangent});
  results.push_back(output.detach());
  return results;
}

TEST(Filter, CountsAsWhatItIsDefinedAs) {
  Pair pair(options_of(12, 3, 3, 3));
  const auto maps =
      torch::randn({5, 12, 6, 8}, torch::kFloat64).contiguous(torch::MemoryFormat::ChannelsLast);
  const std::int64_t forward = 5LL * 6 * 8 * 9 * 12 * 3;
  const measure::MultiplyAddCounter counter;
  results_of(pair.filter, maps);
  EXPECT_EQ(counter.count(), 3 * forward);
  EXPECT_EQ(counter.executed(), 4 * forward) << "half of the wider kernel is zeros";
}

TEST(Filter, AgreesWithLibTorchsConvolution) {
  const std::vector<torch::nn::Conv2dOptions> all{options_of(12, 3, 3, 3),
                                                  options_of(8, 1, 1, 1),
                                                  options_of(8, 4, 5, 3),
                                                  options_of(12, 3, 3, 3).bias(false),
                                                  options_of(9, 4, 2, 2),
                                                  options_of(12, 5, 3, 3),
                                                  options_of(6, 4, 3, 3),
                                                  options_of(12, 3, 3, 3).stride({2, 1}),
                                                  options_of(12, 3, 3, 3).groups(3),
                                                  options_of(12, 3, 1, 3).padding({2, 1}),
                                                  options_of(12, 3, 3, 3).dilation(2)};
  for (std::size_t o = 0; o < all.size(); ++o) {
    for (const std::int64_t columns : {8, 7}) {
      for (const auto format :
           {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
        Pair pair(all[o]);
        const auto maps =
            torch::randn({5, all[o].in_channels(), 6, columns}, torch::kFloat64).contiguous(format);
        const auto actual = results_of(pair.filter, maps);
        const auto expected = results_of(pair.convolution, maps);
        ASSERT_EQ(actual.size(), expected.size());
        for (std::size_t i = 0; i < actual.size(); ++i) {
          expect_close(actual[i], expected[i], 1e-13,
                       "options " + std::to_string(o) + ", " + std::to_string(columns) +
                           " columns, result " + std::to_string(i));
        }
        EXPECT_TRUE(actual.back().is_contiguous(format));
      }
    }
  }
}

TEST(Filter, ComputesOnlyTheGradientsThatAreAskedFor) {
  Pair pair(options_of(12, 3, 3, 3));
  const auto maps =
      torch::randn({2, 12, 8, 8}, torch::kFloat64).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto expected = results_of(pair.convolution, maps);
  const auto gradient_of = [&](const torch::Tensor& wanted, const torch::Tensor& read) {
    const auto output = pair.filter(read);
    const auto cotangent =
        torch::arange(output.numel(), output.options()).view(output.sizes()).remainder(17);
    return torch::autograd::grad({output}, {wanted}, {cotangent})[0];
  };
  const auto parameters = pair.filter->parameters();
  expect_close(gradient_of(parameters[0], maps), expected[0], 1e-13, "kernel");
  expect_close(gradient_of(parameters[1], maps), expected[1], 1e-13, "bias");
  for (auto parameter : parameters) parameter.requires_grad_(false);
  const auto leaf = maps.detach().requires_grad_(true);
  expect_close(gradient_of(leaf, leaf), expected[2], 1e-13, "maps");
  EXPECT_FALSE(pair.filter(maps).requires_grad());
  const torch::NoGradGuard no_grad;
  EXPECT_FALSE(pair.filter(leaf).requires_grad());
}

TEST(Filter, LetsWhatFollowsOverwriteItsOutput) {
  Pair pair(options_of(12, 3, 3, 3));
  const auto maps =
      torch::randn({2, 12, 8, 8}, torch::kFloat64).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto gradients_of = [&](auto& module) {
    return torch::autograd::grad({module(maps).relu_().sum()}, module->parameters());
  };
  const auto actual = gradients_of(pair.filter);
  const auto expected = gradients_of(pair.convolution);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_close(actual[i], expected[i], 1e-13, std::to_string(i));
  }
}

TEST(Filter, NamesItsParametersAndCanBeCloned) {
  Filter filter(options_of(12, 3, 3, 3), "filter2");
  ASSERT_EQ(filter->named_parameters().keys(),
            (std::vector<std::string>{"filter2.weight", "filter2.bias"}));
  const auto clone = std::dynamic_pointer_cast<FilterImpl>(filter->clone());
  ASSERT_TRUE(clone);
  const auto maps = torch::randn({2, 12, 8, 8}).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto before = filter(maps);
  expect_same(clone->forward(maps), before, "the clone's output");
  const torch::NoGradGuard no_grad;
  clone->parameters()[0].add_(1);
  expect_same(filter(maps), before, "the original's output");
}

TEST(Filter, UnderAutocastTypesAreAutocasts) {
  Filter filter(options_of(12, 3, 3, 3), "filter1");
  const auto maps = torch::randn({2, 12, 8, 8}).contiguous(torch::MemoryFormat::ChannelsLast);
  const AutocastScope scope(torch::kCPU, Precision::bfloat16);
  EXPECT_EQ(filter(maps).scalar_type(), torch::kBFloat16);
}

}  // namespace
}  // namespace mlaan::testing

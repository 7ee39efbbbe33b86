#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/nn/auxiliary_net.h>
#include <mlaan/nn/heads.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

std::int64_t parameters_of(const HeadOptions& options, const Shape& features) {
  return element_count(AuxiliaryNet("", make_head(options, features, 10)).named_parameters());
}

TEST(Heads, ParametersOf1c2fAreThoseOfTheSpecification) {
  const HeadOptions options{"1c2f", 128, 1};
  EXPECT_EQ(parameters_of(options, {16, 32, 32}), 10186);
  EXPECT_EQ(parameters_of(options, {32, 16, 16}), 28170);
  EXPECT_EQ(parameters_of(options, {64, 8, 8}), 46602);
}

TEST(Heads, LinearIsPoolingAndOneLayer) {
  EXPECT_EQ(parameters_of({}, {16, 32, 32}), 170);
  const AuxiliaryNet net("", make_head({}, {16, 4, 4}, 10));
  const auto maps = torch::randn({3, 16, 4, 4});
  const auto parameters = net.named_parameters();
  const auto expected =
      torch::nn::functional::linear(maps.mean({2, 3}), parameters[0].tensor, parameters[1].tensor);
  expect_close(net.forward(maps), expected, 1e-6, "linear head");
}

TEST(Heads, ReadFlatFeaturesToo) {
  for (const char* type : {"linear", "1c2f", "0c1f", "2c1f"}) {
    const AuxiliaryNet net("", make_head({type, 8, 1}, {6}, 4));
    EXPECT_EQ(net.forward(torch::randn({5, 6})).sizes(), (std::vector<std::int64_t>{5, 4})) << type;
  }
}

TEST(Heads, GradientOfPoolingIsABroadcast) {
  GlobalAveragePool pool;
  const auto maps = torch::randn({2, 3, 4, 4}).requires_grad_(true);
  const auto gradient = torch::autograd::grad({pool(maps).sum()}, {maps})[0];
  expect_close(gradient, torch::full({2, 3, 4, 4}, 1.0 / 16), 1e-6, "gradient");
  EXPECT_EQ(gradient.stride(2), 0);
}

TEST(Heads, UnknownTypesAreRefused) {
  for (const char* type : {"lin", "c2f", "1c0f", "1c2fx", ""}) {
    EXPECT_FALSE(is_head_type(type)) << type;
  }
  expect_user_error([] { make_head({"mlp9", 8, 1}, {6}, 4); }, {"mlp9", "linear"});
}

}  // namespace
}  // namespace mlaan::testing

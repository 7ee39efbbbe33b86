#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/nn/auxiliary_net.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/heads.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

AuxiliaryNet make_head(const HeadOptions& options, const Shape& features, std::int64_t outputs) {
  static const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  return {"", build_layers(head_layers(options, features, outputs), features, backbone).units};
}

std::int64_t parameters_of(const HeadOptions& options, const Shape& features) {
  return element_count(make_head(options, features, 10).named_parameters());
}

TEST(Heads, ParametersOf1c2fAreThoseOfTheSpecification) {
  const HeadOptions options{"1c2f", 128, 1};
  EXPECT_EQ(parameters_of(options, {16, 32, 32}), 10186);
  EXPECT_EQ(parameters_of(options, {32, 16, 16}), 28170);
  EXPECT_EQ(parameters_of(options, {64, 8, 8}), 46602);
}

TEST(Heads, LinearIsPoolingAndOneLayer) {
  EXPECT_EQ(parameters_of({}, {16, 32, 32}), 170);
  const AuxiliaryNet net = make_head({}, {16, 4, 4}, 10);
  const auto maps = torch::randn({3, 16, 4, 4});
  const auto parameters = net.named_parameters();
  const auto expected =
      torch::nn::functional::linear(maps.mean({2, 3}), parameters[0].tensor, parameters[1].tensor);
  expect_close(net.forward(maps), expected, 1e-6, "linear head");
}

TEST(Heads, ReadFlatFeaturesToo) {
  for (const char* type : {"linear", "1c2f", "0c1f", "2c1f", "mlp", "mlp-sr", "cnn"}) {
    const AuxiliaryNet net = make_head({type, 8, 1}, {6}, 4);
    EXPECT_EQ(net.forward(torch::randn({5, 6})).sizes(), (std::vector<std::int64_t>{5, 4})) << type;
  }
}

TEST(Heads, OfDecoupledGreedyLearningHaveTheLayersOfTheSpecification) {
  // Three convolutions 1×1 with batch normalisation, three linear layers of 4C, one to the classes.
  const std::int64_t c = 16;
  const std::int64_t dense = 3 * (16 * c * c + 8 * c) + 4 * c * 10 + 10;
  EXPECT_EQ(parameters_of({"mlp", 8, 1}, {c, 32, 32}), dense);
  EXPECT_EQ(parameters_of({"mlp-sr", 8, 1}, {c, 32, 32}), 3 * (c * c + 2 * c) + dense);
  EXPECT_EQ(parameters_of({"cnn", 8, 1}, {c, 32, 32}),
            2 * (9 * c * c + 2 * c) + 2 * c + 4 * c * 10 + 10);
  EXPECT_EQ(head_layers({"mlp-sr", 8, 1}, {16, 30, 32}, 10).front(), "adaptive_pool 8x8");
  EXPECT_EQ(
      make_head({"mlp-sr", 8, 1}, {c, 32, 32}, 10).forward(torch::randn({2, c, 32, 32})).sizes(),
      (std::vector<std::int64_t>{2, 10}));
}

TEST(Heads, OfDecoupledGreedyLearningGiveWhatTheLayersOneByOneGive) {
  namespace F = torch::nn::functional;
  torch::manual_seed(3);
  const auto maps = torch::randn({5, 4, 12, 12}, torch::kFloat64);
  const auto normalised = [](const torch::Tensor& value) {
    std::vector<std::int64_t> dimensions{0};
    if (value.dim() == 4) dimensions.insert(dimensions.end(), {2, 3});
    const auto centred = value - value.mean(dimensions, true);
    return centred / (centred.pow(2).mean(dimensions, true) + 1e-5).sqrt();
  };
  // A new batch normalisation neither scales nor shifts.
  const auto net_of = [](const std::string& type) {
    AuxiliaryNet net = make_head({type, 8, 1}, {4, 12, 12}, 3);
    for (const auto& unit : net.units()) unit.to(torch::kFloat64);
    return net;
  };
  const auto weight = [](const AuxiliaryNet& net, const std::string& name) {
    for (const auto& named : net.named_parameters()) {
      if (named.name == name) return named.tensor;
    }
    throw std::out_of_range(name);
  };
  for (const std::string type : {"mlp", "mlp-sr"}) {
    const AuxiliaryNet net = net_of(type);
    auto value = maps.view({5, 4, 3, 4, 3, 4}).mean({3, 5});
    int layer = 1;
    const auto next_weight = [&] {
      return weight(net, "conv" + std::to_string(layer++) + ".weight");
    };
    for (int i = 0; type == "mlp-sr" && i < 3; ++i) {
      value = normalised(torch::einsum("oc,bchw->bohw", {next_weight().flatten(1), value})).relu();
    }
    value = F::adaptive_avg_pool2d(value, F::AdaptiveAvgPool2dFuncOptions({2, 2})).flatten(1);
    for (int i = 0; i < 3; ++i) value = normalised(value.mm(next_weight().t())).relu();
    value = value.mm(weight(net, "fc.weight").t()) + weight(net, "fc.bias");
    expect_close(net.forward(maps), value, 1e-10, type);
  }
  const AuxiliaryNet net = net_of("cnn");
  auto value = maps;
  for (const char* name : {"conv1.weight", "conv2.weight"}) {
    value =
        normalised(F::conv2d(value, weight(net, name), F::Conv2dFuncOptions().padding(1))).relu();
  }
  value = normalised(value.view({5, 4, 2, 6, 2, 6}).mean({3, 5})).flatten(1);
  value = value.mm(weight(net, "fc.weight").t()) + weight(net, "fc.bias");
  expect_close(net.forward(maps), value, 1e-10, "cnn");
}

TEST(Heads, GradientOfPoolingIsABroadcast) {
  GlobalAveragePool pool;
  const auto maps = torch::randn({2, 3, 4, 4}).requires_grad_(true);
  const auto gradient = torch::autograd::grad({pool(maps).sum()}, {maps})[0];
  expect_close(gradient, torch::full({2, 3, 4, 4}, 1.0 / 16), 1e-6, "gradient");
  EXPECT_EQ(gradient.stride(2), 0);
}

TEST(Heads, UnknownTypesAreRefused) {
  for (const char* type : {"lin", "c2f", "1c0f", "1c2fx", "1c2f ", "linear ", "linear 10", ""}) {
    EXPECT_FALSE(is_head_type(type)) << type;
  }
  expect_user_error([] { head_layers({"mlp9", 8, 1}, {6}, 4); }, {"mlp9", "linear"});
}

}  // namespace
}  // namespace mlaan::testing

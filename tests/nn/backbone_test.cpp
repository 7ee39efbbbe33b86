#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/backbones.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(Backbone, ShapesAreFoundByTheProbe) {
  const Backbone backbone = make_backbone("resnet20", 10, {3, 32, 32}, 0);
  EXPECT_EQ(backbone.size(), 10U);
  EXPECT_EQ(backbone.block_count(), 9U);
  EXPECT_EQ(backbone.input_shape(0), (Shape{3, 32, 32}));
  EXPECT_EQ(backbone.output_shape(3), (Shape{16, 32, 32}));
  EXPECT_EQ(backbone.output_shape(4), (Shape{32, 16, 16}));
  EXPECT_EQ(backbone.output_shape(9), (Shape{64, 8, 8}));
  EXPECT_EQ(backbone.classes(), 10);
}

TEST(Backbone, ParametersAreThoseOfThePaper) {
  EXPECT_EQ(element_count(make_backbone("resnet32", 10, {3, 32, 32}, 0).named_parameters()),
            466906);
  EXPECT_EQ(element_count(make_backbone("resnet110", 10, {3, 32, 32}, 0).named_parameters()),
            1730714);
}

TEST(Backbone, NamesAreTorchvisions) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  std::vector<std::string> names;
  for (const auto& named : backbone.named_parameters()) names.push_back(named.name);
  EXPECT_EQ(names.front(), "conv1.weight");
  EXPECT_NE(std::find(names.begin(), names.end(), "layer2.0.downsample.0.weight"), names.end());
  EXPECT_EQ(names.back(), "fc.bias");
}

TEST(Backbone, WeightsArePureFunctionsOfTheSeed) {
  const auto weights = [](std::uint64_t seed) {
    torch::rand({3});
    return make_backbone("resnet8", 10, {3, 32, 32}, seed).named_parameters().front().tensor;
  };
  EXPECT_TRUE(torch::equal(weights(1), weights(1)));
  EXPECT_FALSE(torch::equal(weights(1), weights(2)));
}

TEST(Backbone, FromCutsAChainAtLayersWithParameters) {
  torch::nn::Sequential chain(
      torch::nn::Conv2d(torch::nn::Conv2dOptions(1, 4, 3)), torch::nn::BatchNorm2d(4),
      torch::nn::ReLU(), torch::nn::Conv2d(torch::nn::Conv2dOptions(4, 4, 3)), torch::nn::ReLU(),
      torch::nn::AdaptiveAvgPool2d(torch::nn::AdaptiveAvgPool2dOptions(1)), torch::nn::Flatten(),
      torch::nn::Linear(4, 3));
  const auto images = torch::randn({5, 1, 9, 9});
  const Backbone backbone = Backbone::from(chain, images);
  ASSERT_EQ(backbone.size(), 2U);
  EXPECT_EQ(backbone.units()[0].layers().size(), 3U);
  EXPECT_EQ(backbone.output_shape(1), (Shape{4, 5, 5})) << "pooling belongs to the head";
  EXPECT_EQ(backbone.classes(), 3);
  chain->eval();
  backbone.train(false);
  expect_close(backbone.forward(images), chain->forward(images), 1e-6, "logits");
  for (const auto& named : backbone.named_parameters()) {
    EXPECT_TRUE(chain->named_parameters().contains(named.name)) << named.name;
  }
}

TEST(Backbone, FromTakesALeadingFlattenAlong) {
  torch::nn::Sequential chain(torch::nn::Flatten(), torch::nn::Linear(12, 6), torch::nn::ReLU(),
                              torch::nn::Linear(6, 2));
  const Backbone backbone = Backbone::from(chain, torch::randn({2, 3, 4}));
  EXPECT_EQ(backbone.size(), 1U);
  EXPECT_EQ(backbone.output_shape(0), (Shape{6}));
}

TEST(Backbone, AChainThatCannotBeCutIsRefused) {
  torch::nn::Sequential chain(torch::nn::Linear(12, 6));
  expect_user_error(
      [&] {
        Backbone::from(chain, torch::randn({2, 12}));
      },
      {"at least two layers with parameters"});
}

TEST(Backbone, AUnitThatDoesNotFitIsNamed) {
  expect_user_error(
      [] {
        Backbone("mine",
                 {Unit("first", torch::nn::Linear(4, 5)), Unit("second", torch::nn::Linear(6, 5))},
                 {Unit("head", torch::nn::Linear(5, 2))}, {4});
      },
      {"second", "mine", "5"});
}

TEST(Backbone, EqualNamesAreRefused) {
  expect_user_error(
      [] {
        Backbone("mine", {Unit("a", torch::nn::Linear(4, 4)), Unit("a", torch::nn::Linear(4, 4))},
                 {Unit("head", torch::nn::Linear(4, 2))}, {4});
      },
      {"a.weight"});
}

TEST(Backbone, UnknownUnitsAreRefusedWithTheNearestKnown) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  expect_user_error([&] { backbone.unit_index("layer1.1"); }, {"layer1.1", "layer1.0"});
}

TEST(Backbone, DepthsOtherThanSixNPlusTwoAreRefused) {
  expect_user_error(
      [] {
        make_backbone("resnet21", 10, {3, 32, 32}, 0);
      },
      {"resnet21", "resnet20"});
}

TEST(Unit, ClonesShareNothingAndTakeTheNewName) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  const Unit& original = backbone.units()[2];
  const Unit copy = original.clone("leap.0");
  const auto parameters = copy.named_parameters();
  EXPECT_EQ(parameters.front().name, "leap.0.conv1.weight");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& source = original.named_parameters()[i].tensor;
    EXPECT_TRUE(torch::equal(parameters[i].tensor, source));
    EXPECT_NE(parameters[i].tensor.data_ptr(), source.data_ptr());
  }
}

class NotCloneableImpl : public torch::nn::Module {
 public:
  NotCloneableImpl() { linear_ = register_module("linear", torch::nn::Linear(3, 3)); }
  torch::Tensor forward(const torch::Tensor& input) { return linear_(input); }

 private:
  torch::nn::Linear linear_{nullptr};
};

TEST(Unit, ALayerThatCannotBeCopiedIsNamed) {
  const Unit unit("mine", std::make_shared<NotCloneableImpl>());
  expect_user_error([&] { unit.clone("copy"); }, {"mine", "torch::nn::Cloneable"});
}

}  // namespace
}  // namespace mlaan::testing

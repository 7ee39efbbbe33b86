#include "support/errors.h"

#include <mlaan/nn/backbones.h>
#include <mlaan/nn/layer_text.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

class LayerText : public ::testing::Test {
 protected:
  Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);

  void refuse(const LayerTexts& layers, const std::vector<std::string>& parts) const {
    expect_user_error([&] { build_layers(layers, {16, 32, 32}, backbone); }, parts);
  }
};

TEST_F(LayerText, ShapesAreThoseThatTheLayersGive) {
  const std::vector<LayerTexts> nets{
      {"conv 3x3 8", "linear 10"},
      {"conv 3x3 8 stride 2 bias", "conv 1x1 4", "flatten", "dense 6", "hidden 5", "linear 3 zero"},
      {"conv 3x3 5 upsampled 40x48", "conv 3x3 4 bias stride 2 upsampled 21x11"},
      {"filter 5x3 7", "filter 3x3 2 bias", "upsample 40x48", "average_pool 5x3 floor"},
      {"adaptive_pool 3x2", "batch_norm", "flatten", "batch_norm", "project 4"},
      {"average_pool 2x4", "group 4"},
      {"leap layer2.0 twin 0.9", "leap layer3.0"},
      {"average_pool 2x2", "group 2", "leap layer2.0 narrow 2", "leap layer3.0 narrow 2 twin 1"},
      {"fresh layer3.0 stride 1", "fresh layer2.0", "fresh layer3.0 twin 0.5", "linear 10"}};
  for (const auto& texts : nets) {
    const BuiltLayers built = build_layers(texts, {16, 32, 32}, backbone);
    ASSERT_EQ(built.units.size(), texts.size());
    auto value = torch::randn({2, 16, 32, 32});
    for (std::size_t i = 0; i < texts.size(); ++i) {
      value = built.units[i].forward(value);
      const Shape shape =
          output_shape_of({texts.begin(), texts.begin() + i + 1}, {16, 32, 32}, backbone);
      EXPECT_EQ(value.sizes().slice(1).vec(), shape) << texts[i];
      EXPECT_EQ(built.units[i].description(), texts[i]);
    }
  }
}

TEST_F(LayerText, FreshBlocksHaveWeightsOfTheirOwnAndLeapLayersTheUnits) {
  const auto weight_of = [&](const std::string& text) {
    return build_layers({text}, {16, 32, 32}, backbone).units[0].named_parameters()[0].tensor;
  };
  const auto& unit = backbone.units()[backbone.unit_index("layer2.0")];
  const auto original = unit.named_parameters()[0].tensor;
  EXPECT_TRUE(torch::equal(weight_of("leap layer2.0"), original));
  EXPECT_FALSE(torch::equal(weight_of("fresh layer2.0"), original));
}

TEST_F(LayerText, ATwinOfAFreshBlockFollowsTheUnit) {
  const BuiltLayers built = build_layers({"fresh layer2.0 twin 0.75"}, {16, 32, 32}, backbone);
  ASSERT_EQ(built.averages.size(), 1U);
  EXPECT_DOUBLE_EQ(built.averages[0].momentum, 0.75);
  const auto& unit = backbone.units()[backbone.unit_index("layer2.0")];
  EXPECT_TRUE(torch::equal(built.averages[0].average[0], unit.named_parameters()[0].tensor));
  for (const auto& named : built.units[0].named_parameters()) {
    EXPECT_EQ(named.tensor.requires_grad(), named.name.find(".twin.") == std::string::npos)
        << named.name;
  }
}

TEST_F(LayerText, WhatIsNoLayerIsRefused) {
  refuse({"convolution 3x3 8"}, {"convolution", "kind of layer", "conv"});
  refuse({"conv 3 8"}, {"conv 3 8", "3x3"});
  refuse({"conv 3x3"}, {"lacks number of channels"});
  refuse({"conv 3x3 0"}, {"'0'", "from 1 to"});
  refuse({"linear 99999999999"}, {"'99999999999'", "from 1 to 1048576"});
  refuse({"conv 3x3 8 stride"}, {"nothing follows 'stride'"});
  refuse({"conv 3x3 8 upsampled 32"}, {"'32' is not a valid size of the map", "3x3"});
  refuse({"conv 3x3 8 large"}, {"'large' does not belong there"});
  refuse({"linear 10", "conv 3x3 8"}, {"reads maps"});
  refuse({"dense 4"}, {"flat features", "16×32×32"});
  refuse({"leap layer9.0"}, {"layer9.0"});
  refuse({"leap layer3.0"}, {"layer3.0", "32×16×16", "16×32×32"});
  refuse({"leap layer2.0 twin 2"}, {"momentum", "from 0 to 1"});
  refuse({"fresh layer3.0 twin 0.9"}, {"twin", "layer3.0"});
  refuse({"average_pool 3x3"}, {"pooling by 3x3", "16×32×32"});
  refuse({""}, {"lacks its kind"});
}

}  // namespace
}  // namespace mlaan::testing

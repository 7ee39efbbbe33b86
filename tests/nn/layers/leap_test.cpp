#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/local/methods/lam.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/layer_text.h>
#include <mlaan/nn/layers/leap.h>
#include <mlaan/nn/layers/narrow.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

std::vector<std::string> names(const Backbone& backbone, const LeapRow& row) {
  std::vector<std::string> result;
  for (const auto unit : row) result.push_back(backbone.units()[unit].name());
  return result;
}

using Names = std::vector<std::string>;

TEST(LeapRow, RuleTakesShapeChangesLastUnitAndEvenlySpacedOnes) {
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  const auto row = [&](const std::string& unit) {
    return names(backbone, leap_row(backbone, backbone.unit_index(unit)));
  };
  EXPECT_EQ(row("layer1.2"), (Names{"layer2.0", "layer3.0", "layer3.2", "layer3.4"}));
  EXPECT_EQ(row("layer2.2"), (Names{"layer3.0", "layer3.1", "layer3.3", "layer3.4"}));
  EXPECT_EQ(row("layer3.0"), (Names{"layer3.1", "layer3.3", "layer3.4"}));
  EXPECT_EQ(row("layer3.2"), (Names{"layer3.3", "layer3.4"}));
  EXPECT_EQ(row("layer3.3"), (Names{"layer3.4"}));
}

TEST(LeapRow, RuleCanBeRunOnAnyChain) {
  for (const char* model : {"resnet8", "resnet14", "resnet56"}) {
    const Backbone backbone = make_backbone(model, 10, {3, 32, 32}, 0);
    for (std::size_t unit = 0; unit + 1 < backbone.size(); ++unit) {
      for (std::size_t length = 1; length <= 6; ++length) {
        EXPECT_NO_THROW(check_leap_row(backbone, unit, leap_row(backbone, unit, length)))
            << model << " after unit " << unit;
      }
    }
  }
}

TEST(LeapRow, PublishedRowsCanAllBeRun) {
  for (const auto& [model, modules] : std::vector<std::pair<std::string, std::size_t>>{
           {"resnet32", 8}, {"resnet32", 15}, {"resnet110", 32}, {"resnet110", 54}}) {
    const Backbone backbone = make_backbone(model, 10, {3, 32, 32}, 0);
    const Partition partition = default_partition(backbone, modules);
    ASSERT_EQ(partition.size(), modules);
    const auto rows = published_leap_rows(backbone, partition);
    ASSERT_TRUE(rows.has_value()) << model << " " << modules;
    ASSERT_EQ(rows->size() + 1, modules);
    for (std::size_t j = 0; j < rows->size(); ++j) {
      EXPECT_NO_THROW(check_leap_row(backbone, partition.last_unit(j), rows->at(j)))
          << model << " module " << j + 1;
    }
  }
}

TEST(LeapRow, PublishedRowsAreForPublishedPartitionsOnly) {
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  EXPECT_FALSE(published_leap_rows(backbone, default_partition(backbone, 4)).has_value());
  EXPECT_FALSE(published_leap_rows(backbone, default_partition(backbone, 16)).has_value());
}

TEST(LeapRow, RowsThatCannotRunAreRefused) {
  const Backbone backbone = make_backbone("resnet20", 10, {3, 32, 32}, 0);
  const auto unit = [&](const char* name) { return backbone.unit_index(name); };
  expect_user_error([&] { check_leap_row(backbone, unit("layer1.0"), {unit("layer3.0")}); },
                    {"layer3.0", "32×16×16", "16×32×32"});
  expect_user_error([&] { check_leap_row(backbone, unit("layer2.1"), {unit("layer2.0")}); },
                    {"layer2.0", "does not come after"});
}

TEST(LeapLayers, CopiesStartEqualAndTwinsAreFrozen) {
  const Backbone backbone = make_backbone("resnet20", 10, {3, 32, 32}, 0);
  const BuiltLayers leap = build_layers(
      {"leap layer2.0 twin 0.9", "leap layer3.0", "leap layer3.2"}, {16, 32, 32}, backbone);
  ASSERT_EQ(leap.units.size(), 3U);
  ASSERT_EQ(leap.averages.size(), 1U);
  for (const auto& tensor : leap.averages[0].average) EXPECT_FALSE(tensor.requires_grad());

  // With a twin equal to the copy, the first layer gives twice what the unit gives.
  const auto maps = torch::randn({2, 16, 32, 32});
  backbone.train(false);
  leap.units[0].train(false);
  const Unit& original = backbone.units()[backbone.unit_index("layer2.0")];
  expect_close(leap.units[0].forward(maps), 2 * original.forward(maps), 1e-6, "copy + twin");
}

TEST(LeapLayers, GradientsPassThroughTwins) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  const auto maps = torch::randn({2, 16, 32, 32});
  const auto gradient = [&](const std::string& layer) {
    const BuiltLayers leap = build_layers({layer}, {16, 32, 32}, backbone);
    const auto input = maps.clone().requires_grad_(true);
    leap.units[0].forward(input).sum().backward();
    return input.grad();
  };
  expect_close(gradient("leap layer2.0 twin 0.9"), 2 * gradient("leap layer2.0"), 1e-5, "gradient");
}

TEST(LeapLayers, ParametersOfMlaanOnResNet32AreThoseOfTheSpecification) {
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  LamOptions options;
  options.twins = "none";
  const Plan plan = methods::lam(backbone, default_partition(backbone, 15), options);
  std::int64_t copies = 0;
  for (const auto& net : nets(plan)) {
    for (const auto& named : net->named_parameters()) {
      if (named.name.find(".leap.") != std::string::npos) copies += named.tensor.numel();
    }
  }
  EXPECT_EQ(copies, 3165376);
}

TEST(ParameterAverages, MoveByTheMomentum) {
  const Unit source("source", torch::nn::Linear(2, 2));
  const Unit average = source.clone("average");
  const ParameterAverage link = follow(average, source, 0.75);
  const auto before = link.average[0].clone();
  {
    const torch::NoGradGuard no_grad;
    link.source[0].add_(1);
  }
  update({link});
  expect_close(link.average[0], before + 0.25, 1e-6, "average");
}

TEST(ParameterAverages, SmallerOnesFollowGroups) {
  const auto weights = torch::arange(16, torch::kFloat32).reshape({4, 4});
  // Mean over pairs of outputs, sum over pairs of inputs.
  expect_same(grouped(weights, {2, 2}), torch::tensor({{5.F, 9.F}, {21.F, 25.F}}), "matrix");
  expect_same(grouped(torch::tensor({1.F, 3.F, 5.F, 9.F}), {2}), torch::tensor({2.F, 7.F}), "bias");

  const Unit source("source", torch::nn::Linear(4, 4));
  const Unit average = source.clone("average");
  narrow(average, 2);
  const ParameterAverage link = follow(average, source, 0.75);
  expect_same(link.average[0], grouped(link.source[0], {2, 2}), "start");
  const auto before = link.average[0].clone();
  {
    const torch::NoGradGuard no_grad;
    link.source[0].add_(1);
  }
  update({link});
  expect_close(link.average[0], before + 0.25 * 2, 1e-6, "average");
}

TEST(NarrowLayers, OfGroupedChannelsGiveTheGroupsOfALinearLayer) {
  const Unit wide("wide", torch::nn::Linear(6, 4));
  const Unit slim = wide.clone("slim");
  narrow(slim, 2);
  // Where the channels of a group are equal, grouping loses nothing.
  const auto features = torch::randn({3, 3}).repeat_interleave(2, 1);
  const Unit group = channel_grouping_unit({6}, 2);
  expect_close(slim.forward(group.forward(features)), group.forward(wide.forward(features)), 1e-5,
               "narrow layer");
}

TEST(NarrowLayers, GroupsAreMeansInTheTypeOfTheirMaps) {
  const auto maps = torch::randn({2, 6, 4, 4}, torch::kFloat64);
  expect_close(channel_grouping_unit({6, 4, 4}, 3).forward(maps), maps.unflatten(1, {2, 3}).mean(2),
               1e-14, "groups of three");
}

TEST(NarrowLayers, OfABlockRunAndLearn) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  const BuiltLayers leap =
      build_layers({"group 2", "leap layer2.0 narrow 2 twin 0.9", "leap layer3.0 narrow 2"},
                   {16, 32, 32}, backbone);
  auto value = torch::randn({2, 16, 32, 32});
  for (const auto& unit : leap.units) value = unit.forward(value);
  EXPECT_EQ(value.sizes(), (std::vector<std::int64_t>{2, 32, 8, 8}));
  value.sum().backward();
  EXPECT_TRUE(leap.units[2].named_parameters()[0].tensor.grad().defined());
}

TEST(NarrowLayers, ThatCannotBeDividedAreRefused) {
  const Unit odd("odd", torch::nn::Linear(6, 3));
  expect_user_error([&] { narrow(odd, 2); }, {"odd", "3 channels"});
  const Unit sequence("sequence", torch::nn::Conv1d(4, 4, 3));
  expect_user_error([&] { narrow(sequence, 2); }, {"sequence", "Conv1d"});
  expect_user_error([] { channel_grouping_unit({5, 8, 8}, 2); }, {"5 channels"});
}

TEST(NarrowLayers, GroupsOfConvolutionsStayOrGetFewer) {
  torch::manual_seed(1);
  // Channels that are equal within their groups: the narrower layer gives each group's mean.
  const auto narrow_input = torch::randn({2, 4, 5, 5});
  const auto input = narrow_input.repeat_interleave(2, 1);
  for (const std::int64_t groups : {2, 8}) {
    torch::nn::Conv2d layer(torch::nn::Conv2dOptions(8, 8, 3).groups(groups));
    const torch::NoGradGuard no_grad;
    const auto expected = layer(input).unflatten(1, {4, 2}).mean(2);
    narrow(Unit("grouped", layer), 2);
    EXPECT_EQ(layer->options.groups(), groups == 2 ? 2 : 4);
    expect_close(layer(narrow_input), expected, 1e-5, "groups");
  }
}

TEST(ParameterAverages, OfDifferentUnitsAreRefused) {
  const Unit small("small", torch::nn::Linear(2, 2));
  const Unit large("large", torch::nn::Linear(3, 2));
  expect_user_error([&] { follow(small, large, 0.9); }, {"small.weight", "large.weight"});
}

}  // namespace
}  // namespace mlaan::testing

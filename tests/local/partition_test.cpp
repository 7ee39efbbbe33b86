#include "support/errors.h"

#include <mlaan/local/cost_report.h>
#include <mlaan/local/partition.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/setup.h>

#include <gtest/gtest.h>

#include <numeric>

namespace mlaan::testing {
namespace {

std::vector<std::string> ends(const Backbone& backbone, const Partition& partition) {
  std::vector<std::string> names;
  for (const auto unit : partition.last_units()) names.push_back(backbone.units()[unit].name());
  return names;
}

using Names = std::vector<std::string>;

TEST(Partition, UniformModulesDifferByOneUnitAtMost) {
  const Backbone backbone = make_backbone("resnet20", 10, {3, 32, 32}, 0);
  const Partition partition = Partition::uniform(backbone, 4);
  EXPECT_EQ(partition.last_units(), (std::vector<std::size_t>{2, 5, 7, 9}));
  EXPECT_EQ(partition.first_unit(0), 0U);
  EXPECT_EQ(partition.first_unit(2), 6U);
}

TEST(Partition, UniformSplitsOfResNet32AreThePublishedOnes) {
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  for (const std::size_t modules : {2, 3, 4, 8, 15, 16}) {
    const auto published = published_partition(backbone, modules);
    ASSERT_TRUE(published.has_value()) << modules;
    EXPECT_EQ(ends(backbone, *published), ends(backbone, Partition::uniform(backbone, modules)));
  }
}

TEST(Partition, PublishedSplitsHaveTheirNumberOfModules) {
  const Backbone backbone = make_backbone("resnet110", 10, {3, 32, 32}, 0);
  for (const std::size_t modules : {2, 3, 4, 8, 16, 32, 54, 55}) {
    const auto published = published_partition(backbone, modules);
    ASSERT_TRUE(published.has_value()) << modules;
    EXPECT_EQ(published->size(), modules);
  }
  EXPECT_EQ(ends(backbone, *published_partition(backbone, 4)),
            (Names{"layer1.11", "layer2.7", "layer3.3", "layer3.17"}));
  EXPECT_FALSE(published_partition(backbone, 5).has_value());
}

TEST(Partition, DefaultIsOneBlockAModule) {
  const Backbone backbone = make_backbone("resnet20", 10, {3, 32, 32}, 0);
  const Partition partition = default_partition(backbone, 0);
  EXPECT_EQ(partition.size(), 9U);
  EXPECT_EQ(partition.last_unit(0), 1U) << "the stem goes with the first block";
}

TEST(Partition, AfterNamedUnits) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  EXPECT_EQ(Partition::after(backbone, {"layer1.0"}).last_units(),
            (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(Partition::after(backbone, {"stem", "layer3.0"}).last_units(),
            (std::vector<std::size_t>{0, 3}));
  expect_user_error([&] { Partition::after(backbone, {"layer9.0"}); }, {"layer9.0"});
  expect_user_error([&] { Partition::after(backbone, {"layer2.0", "layer1.0"}); }, {"module 2"});
}

TEST(Partition, MoreModulesThanUnitsAreRefused) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  expect_user_error([&] { Partition::uniform(backbone, 5); }, {"resnet8", "1 to 4", "5"});
  expect_user_error([&] { Partition::uniform(backbone, 0); }, {"1 to 4"});
}

TEST(Partition, BalancedMakesTheHeaviestModuleAsLightAsItCanBe) {
  EXPECT_EQ(Partition::balanced({8, 1, 1, 1, 1, 8}, 3).last_units(),
            (std::vector<std::size_t>{0, 4, 5}));
  EXPECT_EQ(Partition::balanced({4, 4, 2, 2, 1, 1, 1, 1}, 4).last_units(),
            (std::vector<std::size_t>{0, 1, 3, 7}));
  EXPECT_EQ(Partition::balanced({5, 5, 5}, 3).last_units(), (std::vector<std::size_t>{0, 1, 2}));
  EXPECT_EQ(Partition::balanced({5, 5, 5}, 1).last_units(), (std::vector<std::size_t>{2}));
  expect_user_error([] { Partition::balanced({1, 2}, 3); }, {"2 units", "not 3"});
}

TEST(Partition, BalancedByBytesComesNearThePublishedOne) {
  // InfoPro's memory-balanced splits of ResNet-110.
  const Backbone backbone = make_backbone("resnet110", 10, {3, 32, 32}, 0);
  const auto bytes = unit_activation_bytes(backbone);
  for (const auto& published :
       {Names{"layer1.14", "layer3.17"}, Names{"layer1.9", "layer2.2", "layer3.17"},
        Names{"layer1.6", "layer1.14", "layer2.8", "layer3.17"}}) {
    const Partition balanced = Partition::balanced(bytes, published.size());
    for (std::size_t j = 0; j < published.size(); ++j) {
      const auto expected = static_cast<double>(backbone.unit_index(published[j]));
      EXPECT_NEAR(static_cast<double>(balanced.last_unit(j)), expected, 3)
          << published.size() << " modules, module " << j + 1;
    }
  }
}

TEST(Partition, BalancedByMultiplyAddsSharesTheWork) {
  const Backbone backbone = make_backbone("resnet110", 10, {3, 32, 32}, 0);
  const auto work = unit_multiply_adds(backbone);
  const auto all = std::accumulate(work.begin(), work.end(), std::int64_t{0});
  EXPECT_NEAR(static_cast<double>(all), 253.15e6, 0.01e6) << "without the head";
  const Partition partition = Partition::balanced(work, 4);
  for (std::size_t j = 0; j < 4; ++j) {
    const auto first = work.begin() + static_cast<std::ptrdiff_t>(partition.first_unit(j));
    const auto last = work.begin() + static_cast<std::ptrdiff_t>(partition.last_unit(j));
    const auto of_module = std::accumulate(first, last + 1, std::int64_t{0});
    EXPECT_NEAR(static_cast<double>(of_module) / static_cast<double>(all), 0.25, 0.03);
  }
}

TEST(Partition, OfARunIsByRuleOrByHand) {
  const Backbone backbone = make_backbone("resnet20", 10, {3, 32, 32}, 0);
  const auto made = [&](const std::string& partition, const std::string& modules = "0") {
    const Settings settings =
        Settings().with({{"partition", partition}, {"modules", modules}}, "a test");
    return ends(backbone, make_partition(settings, backbone, find_method("mlaan")));
  };
  const Names by_hand{"layer1.2", "layer3.0", "layer3.2"};
  EXPECT_EQ(made("layer1.2,layer3.0"), by_hand);
  EXPECT_EQ(made("layer1.2 layer3.0 layer3.2", "3"), by_hand);
  EXPECT_EQ(made("uniform", "3"), (Names{"layer1.2", "layer2.2", "layer3.2"}));
  EXPECT_EQ(made("multiply-adds", "2").size(), 2U);
  expect_user_error([&] { made("layer1.2,layer3.0", "4"); }, {"3 modules", "modules = 4"});
  expect_user_error([&] { made("bites", "4"); }, {"bites", "bytes", "multiply-adds"});
  expect_user_error([&] { made("layer3.0,layer1.2"); }, {"layer3.0,layer1.2"});
}

}  // namespace
}  // namespace mlaan::testing

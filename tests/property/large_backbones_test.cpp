// Every method trains the families of backbones for large pictures, and recomputation changes none
// of the gradients' bits.
#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/backbones/resnet.h>
#include <mlaan/nn/backbones/vgg.h>
#include <mlaan/train/config.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t backbone_seed = 5;

Backbone make_family(const std::string& family) {
  if (family == "bottlenecks") {
    torch::manual_seed(2);
    Backbone backbone = resnet(
        {"bottlenecks", {2, 1, 2, 2}, true, /*groups=*/8, /*width_per_group=*/4}, 10, {3, 64, 64});
    backbone.set_normalisation({{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}});
    return backbone;
  }
  if (family == "vgg") {
    torch::manual_seed(2);
    Backbone backbone =
        vgg_bn(family, {16, 0, 32, 0, 32, 32, 0, 64, 64, 0, 64, 64, 0}, 10, {3, 64, 64});
    backbone.set_normalisation({{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}});
    return backbone;
  }
  const std::int64_t side = family == "vgg8b" ? 32 : 64;
  Backbone backbone = make_backbone(family, 10, {3, side, side}, 2);
  backbone.set_normalisation({{0.5, 0.5, 0.5}, {0.25, 0.25, 0.25}});
  return backbone;
}

class LargeBackbones : public ::testing::TestWithParam<std::tuple<std::string, std::string>> {
 protected:
  /// Gradients of one batch. \param recompute what of modules and nets.
  static std::vector<NamedTensor> gradients(const std::string& recompute) {
    auto [family, method] = GetParam();
    // Behind its last convolution MAN's block gives features, of which InfoPro makes no picture.
    if (family == "vgg8b" && method == "man") method = "dgl+man";
    const Backbone backbone = make_family(family);
    OptionSet options;
    Plan plan =
        find_method(method).plan(backbone, default_partition(backbone, 4), options, backbone_seed);
    set_recompute(plan, parse_recompute(recompute));
    EngineOptions engine_options;
    engine_options.memory_format = torch::MemoryFormat::ChannelsLast;
    Engine engine(backbone, std::move(plan), engine_options);
    torch::manual_seed(1);
    Shape batch = backbone.input_shape(0);
    batch.insert(batch.begin(), 4);
    const auto result = engine.accumulate(torch::rand(batch), torch::arange(4));
    EXPECT_TRUE(torch::isfinite(result.logits).all().item<bool>());
    std::vector<NamedTensor> found;
    for (const auto& part : engine.parts()) {
      for (const auto& named : part.parameters) found.push_back({named.name, named.tensor.grad()});
    }
    return found;
  }
};

TEST_P(LargeBackbones, EveryParameterGetsItsGradient) {
  for (const auto& named : gradients("none")) {
    ASSERT_TRUE(named.tensor.defined()) << named.name;
    EXPECT_TRUE(torch::isfinite(named.tensor).all().item<bool>()) << named.name;
  }
}

class LargeBackbonesRecomputed : public LargeBackbones {};

TEST_P(LargeBackbonesRecomputed, GradientsAreTheSameBits) {
  const auto kept = gradients("none");
  for (const char* recompute : {"activation", "unit"}) {
    const auto recomputed = gradients(recompute);
    ASSERT_EQ(recomputed.size(), kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_TRUE(torch::equal(recomputed[i].tensor, kept[i].tensor))
          << kept[i].name << ", recomputed: " << recompute;
    }
  }
}

std::string test_name(const ::testing::TestParamInfo<std::tuple<std::string, std::string>>& test) {
  std::string name = std::get<0>(test.param) + "_" + std::get<1>(test.param);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

const auto families = ::testing::Values("resnet18", "bottlenecks", "vgg", "vgg8b", "convnext_tiny");

INSTANTIATE_TEST_SUITE_P(Families, LargeBackbones,
                         ::testing::Combine(families,
                                            ::testing::Values("greedy", "dgl", "predsim", "infopro",
                                                              "auglocal", "man", "mlm", "lam",
                                                              "mlaan", "mlaan-lean")),
                         test_name);
INSTANTIATE_TEST_SUITE_P(Families, LargeBackbonesRecomputed,
                         ::testing::Combine(families, ::testing::Values("dgl", "mlaan")),
                         test_name);

TEST(LargeBackbones, EveryPartitionCutsThem) {
  for (const char* family : {"resnet18", "bottlenecks", "vgg", "vgg8b", "convnext_tiny"}) {
    const Backbone backbone = make_family(family);
    for (const char* partition : {"published", "uniform", "bytes", "multiply-adds"}) {
      Config config;
      config.apply("partition", partition, "test");
      for (const std::size_t modules : {std::size_t{3}, backbone.block_count()}) {
        config.apply("modules", std::to_string(modules), "test");
        EXPECT_EQ(make_partition(config, backbone, find_method("mlaan")).size(), modules)
            << family << ", " << partition;
      }
    }
  }
}

/// As those of pictures of 224×224 in the last stage.
TEST(LargeBackbones, LeanNetsPoolMapsOfOddSides) {
  const Backbone backbone = make_backbone("resnet18", 10, {3, 56, 56}, 2);
  ASSERT_EQ(backbone.output_shape(3), (Shape{128, 7, 7}));
  OptionSet options;
  Plan plan = find_method("mlaan-lean").plan(backbone, default_partition(backbone, 8), options, 1);
  Engine engine(backbone, std::move(plan));
  torch::manual_seed(1);
  const auto result = engine.step(torch::rand({2, 3, 56, 56}), torch::arange(2));
  EXPECT_TRUE(torch::isfinite(result.losses).all().item<bool>());
}

TEST(LargeBackbones, OneBlockAModulePutsTheStemIntoTheFirst) {
  EXPECT_EQ(default_partition(make_family("resnet18"), 0).last_units(),
            (std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7, 8}));
  const Backbone convnext = make_family("convnext_tiny");
  EXPECT_EQ(default_partition(convnext, 0).size(), 18U);
  EXPECT_EQ(default_partition(convnext, 0).last_unit(0), 1U);
  EXPECT_EQ(default_partition(make_family("vgg"), 0).size(), 8U);
}

TEST(LargeBackbones, Resnet101In33ModulesLeapsAsPublished) {
  const Backbone backbone = make_backbone("resnet101", 10, {3, 32, 32}, 0);
  const auto rows = published_leap_rows(backbone, default_partition(backbone, 33));
  ASSERT_TRUE(rows.has_value());
  ASSERT_EQ(rows->size(), 32U);
  const auto names = [&](std::size_t module) {
    std::string text;
    for (const auto unit : rows->at(module - 1)) text += backbone.units().at(unit).name() + " ";
    return text;
  };
  EXPECT_EQ(names(1), "layer2.0 layer3.0 layer4.0 layer4.2 ");
  EXPECT_EQ(names(7), "layer3.0 layer4.0 layer4.1 ");
  EXPECT_EQ(names(30), "layer4.0 layer4.1 ");
  EXPECT_EQ(names(31), "layer4.1 layer4.2 ");
  EXPECT_EQ(names(32), "layer4.2 ");
  for (std::size_t module = 1; module <= rows->size(); ++module) {
    check_leap_row(backbone, module, rows->at(module - 1));
  }
}

/// With 1000 classes, as torchvision counts them.
TEST(LargeBackbones, ParametersAreThoseOfThePapers) {
  const auto count = [](const std::string& name) {
    return element_count(make_backbone(name, 1000, {3, 64, 64}, 0).named_parameters());
  };
  EXPECT_EQ(count("resnet18"), 11'689'512);
  EXPECT_EQ(count("resnet50"), 25'557'032);
  EXPECT_EQ(count("resnet101"), 44'549'160);
  EXPECT_EQ(count("resnext50_32x4d"), 25'028'904);
  EXPECT_EQ(count("vgg11_bn"), 132'868'840);
  EXPECT_EQ(count("convnext_tiny"), 28'589'128);
}

}  // namespace
}  // namespace mlaan::testing

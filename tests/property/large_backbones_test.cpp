// Every method trains the families of backbones for large pictures, and recomputation changes none
// of the gradients' bits.
#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/resnet.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t seed = 5;

Backbone make_family(const std::string& family) {
  if (family == "bottlenecks") {
    torch::manual_seed(2);
    Backbone backbone = resnet(
        {"bottlenecks", {2, 1, 2, 2}, true, /*groups=*/8, /*width_per_group=*/4}, 10, {3, 64, 64});
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
    const auto& [family, method] = GetParam();
    const Backbone backbone = make_family(family);
    OptionSet options;
    Plan plan = find_method(method).plan(backbone, default_partition(backbone, 4), options, seed);
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

TEST_P(LargeBackbones, EveryParameterGetsItsGradientWhateverIsRecomputed) {
  const auto kept = gradients("none");
  for (const auto& named : kept) {
    ASSERT_TRUE(named.tensor.defined()) << named.name;
    EXPECT_TRUE(torch::isfinite(named.tensor).all().item<bool>()) << named.name;
  }
  for (const char* recompute : {"activation", "unit"}) {
    const auto rebuilt = gradients(recompute);
    ASSERT_EQ(rebuilt.size(), kept.size());
    for (std::size_t i = 0; i < kept.size(); ++i) {
      EXPECT_TRUE(torch::equal(rebuilt[i].tensor, kept[i].tensor))
          << kept[i].name << ", recomputed: " << recompute;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Families, LargeBackbones,
    ::testing::Combine(::testing::Values("resnet18", "bottlenecks", "vgg8b", "convnext_tiny"),
                       ::testing::Values("dgl", "predsim", "infopro", "auglocal", "man", "mlaan",
                                         "mlaan-lean")),
    [](const auto& info) {
      std::string name = std::get<0>(info.param) + "_" + std::get<1>(info.param);
      for (char& letter : name) {
        if (letter == '-') letter = '_';
      }
      return name;
    });

/// With 1000 classes, as torchvision counts them.
TEST(LargeBackbones, ParametersAreThoseOfThePapers) {
  const auto count = [](const std::string& name) {
    return element_count(make_backbone(name, 1000, {3, 64, 64}, 0).named_parameters());
  };
  EXPECT_EQ(count("resnet18"), 11'689'512);
  EXPECT_EQ(count("resnet50"), 25'557'032);
  EXPECT_EQ(count("resnet101"), 44'549'160);
  EXPECT_EQ(count("resnext50_32x4d"), 25'028'904);
  EXPECT_EQ(count("convnext_tiny"), 28'589'128);
}

}  // namespace
}  // namespace mlaan::testing

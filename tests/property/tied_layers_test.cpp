// Leap layers that read their units' own weights: against every window by itself, step after step.
#include "support/errors.h"
#include "support/naive.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/plan_description.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t tied_seed = 5;

struct TiedCase {
  Backbone backbone;
  Plan plan;
};

TiedCase make_case(const std::string& model, std::int64_t narrow, bool readout) {
  Backbone backbone = test_backbone(model, 2);
  OptionSet options;
  options.get<LamOptions>().tied = true;
  options.get<LamOptions>().readout = readout;
  options.get<LeanOptions>().narrow = narrow;
  Plan plan =
      find_method("mlaan-lean").plan(backbone, default_partition(backbone, 4), options, tied_seed);
  backbone.to(torch::kFloat64);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(torch::kFloat64);
  }
  return {backbone, std::move(plan)};
}

struct TiedSetting {
  std::int64_t narrow;
  bool readout;
  bool fused_update;
};

class TiedLayers : public ::testing::TestWithParam<TiedSetting> {};

/// What a naive step gives of the network as it is after some steps, whose twins must by then have
/// followed their units exactly.
TEST_P(TiedLayers, GiveTheGradientsOfTheirUnitsAsTheyAreNow) {
  const auto [narrow, readout, fused_update] = GetParam();
  const TiedCase tied = make_case("resnet14", narrow, readout);
  EngineOptions options;
  options.seed = tied_seed;
  options.fused_update = fused_update;
  options.optimizer = sgd({0.05, 0.9, 1e-4, true});
  Engine engine(tied.backbone, tied.plan, options);
  torch::manual_seed(1);
  for (std::int64_t step = 0; step < 3; ++step) {
    const auto images = torch::rand({6, 3, 32, 32}, torch::kFloat64);
    const auto labels = torch::randint(10, {6}, torch::kInt64);
    const NaiveResult naive =
        naive_gradients(tied.backbone, tied.plan, images, labels, tied_seed, engine.steps_done());
    engine.accumulate(images, labels);
    for (const auto& named : engine.named_parameters()) {
      const auto& expected = naive.gradients.at(named.name);
      const auto actual =
          named.tensor.grad().defined() ? named.tensor.grad() : torch::zeros_like(expected);
      EXPECT_LE((actual - expected).abs().max().item<double>(),
                1e-8 * (1 + expected.abs().max().item<double>()))
          << named.name;
    }
    engine.update();
    engine.step(images, labels);
  }
}

INSTANTIATE_TEST_SUITE_P(Settings, TiedLayers,
                         ::testing::Values(TiedSetting{1, false, true}, TiedSetting{1, true, true},
                                           TiedSetting{1, true, false},
                                           TiedSetting{2, false, true}));

TEST(TiedLayers, HaveNoMemoryOfTheirOwn) {
  const TiedCase tied = make_case("resnet14", 1, /*readout=*/true);
  Engine engine(tied.backbone, tied.plan);
  const auto images = torch::rand({6, 3, 32, 32}, torch::kFloat64);
  engine.step(images, torch::arange(6) % 3);
  std::int64_t checked = 0;
  for (const auto& average : engine.plan().averages) {
    for (std::size_t i = 0; i < average.average.size(); ++i) {
      EXPECT_EQ(average.average[i].data_ptr(), average.source[i].data_ptr());
      EXPECT_FALSE(average.average[i].requires_grad());
      ++checked;
    }
  }
  EXPECT_GT(checked, 0);
  // Behind a readout nothing of a net is trained.
  for (const auto& part : engine.parts()) {
    const bool of_net =
        part.name.compare(0, 4, "aux.") == 0 && part.name.find("cascaded") != std::string::npos;
    if (!of_net) continue;
    EXPECT_TRUE(part.parameters.empty()) << part.name;
  }
}

TEST(TiedLayers, AreRefusedWhereTheyCannotBe) {
  const Backbone backbone = test_backbone("resnet14", 2);
  const auto refuse = [&](const LayerTexts& layers, const std::vector<std::string>& parts) {
    PlanDescription plan{default_partition(backbone, 3), {}, {}};
    plan.nets.push_back({"aux", "", layers});
    plan.supervisions.push_back({"local", 0, 0, "aux", "cross_entropy"});
    plan.supervisions.push_back({"output", 0, 2, head_name, "cross_entropy"});
    expect_user_error([&] { build_plan(plan, backbone, 1); }, parts);
  };
  refuse({"leap layer2.0 tied twin 0.9", "linear 10"}, {"its own twin"});
  refuse({"leap layer1.0 tied", "linear 10"}, {"layer1.0", "must come after"});
  refuse({"readout"}, {"head takes 64", "16"});
}

}  // namespace
}  // namespace mlaan::testing

// Frozen layers of auxiliary nets: gradients pass through them, and nothing of theirs changes.
#include "support/errors.h"
#include "support/naive.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/handover.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/plan_description.h>
#include <mlaan/local/published.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <map>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t frozen_seed = 5;

Plan plan_of(const std::string& method, const Backbone& backbone, bool frozen) {
  OptionSet options;
  options.get<LamOptions>().frozen = frozen;
  options.get<LamOptions>().twins = "none";
  options.get<LeanOptions>().narrow = 1;
  return find_method(method).plan(backbone, default_partition(backbone, 4), options, frozen_seed);
}

Plan lean_plan(const Backbone& backbone, bool frozen) {
  return plan_of("mlaan-lean", backbone, frozen);
}

/// A plan whose first module has a net of these layers.
Plan plan_of_layers(const Backbone& backbone, const LayerTexts& layers) {
  PlanDescription plan{default_partition(backbone, 3), {}, {}};
  plan.nets.push_back({"aux", "", layers});
  plan.supervisions.push_back({"local", 0, 0, "aux", "cross_entropy"});
  plan.supervisions.push_back({"output", 1, 2, head_name, "cross_entropy"});
  return build_plan(plan, backbone, frozen_seed);
}

void to_float64(const Backbone& backbone, const Plan& plan) {
  backbone.to(torch::kFloat64);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(torch::kFloat64);
  }
}

std::map<std::string, torch::Tensor> copies_of_frozen(const Engine& engine) {
  std::map<std::string, torch::Tensor> frozen;
  for (const auto& named : engine.named_parameters()) {
    if (!named.tensor.requires_grad()) frozen[named.name] = named.tensor.detach().clone();
  }
  return frozen;
}

void expect_gradients_of_every_window_by_itself(const Backbone& backbone, const Plan& plan) {
  to_float64(backbone, plan);
  EngineOptions options;
  options.seed = frozen_seed;
  options.optimizer = sgd({0.05, 0.9, 1e-4, true});
  Engine engine(backbone, plan, options);
  const auto frozen = copies_of_frozen(engine);
  ASSERT_FALSE(frozen.empty());
  torch::manual_seed(1);
  for (std::int64_t step = 0; step < 3; ++step) {
    const auto images = torch::rand({6, 3, 32, 32}, torch::kFloat64);
    const auto labels = torch::randint(10, {6}, torch::kInt64);
    const NaiveResult naive =
        naive_gradients(backbone, plan, images, labels, frozen_seed, engine.steps_done());
    engine.accumulate(images, labels);
    for (const auto& named : engine.named_parameters()) {
      if (!named.tensor.requires_grad()) {
        EXPECT_FALSE(named.tensor.grad().defined()) << named.name;
        continue;
      }
      const auto& expected = naive.gradients.at(named.name);
      EXPECT_LE((named.tensor.grad() - expected).abs().max().item<double>(),
                1e-8 * (1 + expected.abs().max().item<double>()))
          << named.name;
    }
    engine.update();
  }
  for (const auto& named : engine.named_parameters()) {
    if (frozen.count(named.name) == 0) continue;
    EXPECT_TRUE(torch::equal(named.tensor, frozen.at(named.name))) << named.name;
  }
  for (const auto& part : engine.parts()) {
    for (const auto& named : part.parameters) EXPECT_EQ(frozen.count(named.name), 0U) << named.name;
  }
}

TEST(FrozenLayers, PassGradientsOnAndStayAsTheyAre) {
  const Backbone backbone = test_backbone("resnet14", 2);
  expect_gradients_of_every_window_by_itself(backbone, lean_plan(backbone, /*frozen=*/true));
}

TEST(FrozenLayers, AreOfAnyKindWithParameters) {
  for (const LayerTexts& layers :
       {LayerTexts{"conv 3x3 8 frozen", "hidden 12", "linear 10"},
        LayerTexts{"conv 3x3 8", "filter 3x3 8 bias frozen", "batch_norm frozen", "linear 10"},
        LayerTexts{"fresh layer2.0 stride 2 frozen", "leap layer3.0", "linear 10"},
        LayerTexts{"conv 3x3 8", "hidden 12 frozen", "linear 10 frozen"}}) {
    const Backbone backbone = test_backbone("resnet14", 2);
    SCOPED_TRACE(layers.front());
    expect_gradients_of_every_window_by_itself(backbone, plan_of_layers(backbone, layers));
  }
}

TEST(FrozenLayers, KeepFewerActivationsAndNoOptimizerState) {
  struct Bytes {
    std::int64_t activations;
    std::int64_t optimizer;
    std::int64_t frozen_parameters;
  };
  const auto bytes_of = [](bool frozen) {
    const Backbone backbone = test_backbone("resnet14", 2);
    // Its nets are fatter than its modules.
    Engine engine(backbone, plan_of("lam", backbone, frozen));
    const auto images = torch::rand({32, 3, 32, 32});
    const auto labels = torch::arange(32) % 10;
    engine.step(images, labels);
    measure::reset_peak(torch::kCPU);
    engine.step(images, labels);
    std::int64_t frozen_parameters = 0;
    for (const auto& named : copies_of_frozen(engine)) {
      frozen_parameters += static_cast<std::int64_t>(named.second.nbytes());
    }
    const auto kinds = measure::read_memory(torch::kCPU).peak_by_kind;
    return Bytes{kinds.at(static_cast<std::size_t>(measure::MemoryKind::activations)),
                 kinds.at(static_cast<std::size_t>(measure::MemoryKind::optimizer_state)),
                 frozen_parameters};
  };
  const Bytes trained = bytes_of(false);
  const Bytes frozen = bytes_of(true);
  EXPECT_LT(frozen.activations, trained.activations);
  EXPECT_GT(frozen.frozen_parameters, 0);
  EXPECT_EQ(frozen.optimizer, trained.optimizer - frozen.frozen_parameters);
}

TEST(FrozenLayers, TakeOverWhatThePhaseBeforeTrained) {
  const Backbone backbone = test_backbone("resnet14", 2);
  Engine trained(backbone, lean_plan(backbone, /*frozen=*/false));
  const auto images = torch::rand({6, 3, 32, 32});
  const auto labels = torch::arange(6) % 10;
  for (int step = 0; step < 3; ++step) trained.step(images, labels);
  std::map<std::string, torch::Tensor> before;
  for (const auto& named : trained.named_parameters()) {
    before[named.name] = named.tensor.detach().clone();
  }
  Engine next = hand_over(std::move(trained), lean_plan(backbone, /*frozen=*/true), {});
  const auto frozen = copies_of_frozen(next);
  ASSERT_FALSE(frozen.empty());
  next.step(images, labels);
  for (const auto& named : next.named_parameters()) {
    if (frozen.count(named.name) == 0) continue;
    EXPECT_TRUE(torch::equal(named.tensor, before.at(named.name))) << named.name;
  }
}

TEST(FrozenLayers, AreRefusedWhereNothingIsTrained) {
  const Backbone backbone = test_backbone("resnet14", 2);
  const auto refuse = [&](const LayerTexts& layers, const std::vector<std::string>& parts) {
    expect_user_error([&] { plan_of_layers(backbone, layers); }, parts);
  };
  refuse({"flatten frozen", "linear 10"}, {"flatten frozen", "no parameters"});
  refuse({"leap layer2.0 tied frozen", "leap layer3.0", "linear 10"},
         {"layer2.0 tied", "no parameters"});
  OptionSet options;
  options.get<LamOptions>().frozen = true;
  options.get<LamOptions>().tied = true;
  expect_user_error(
      [&] {
        find_method("lam").plan(backbone, default_partition(backbone, 4), options, frozen_seed);
      },
      {"lam.tied", "lam.frozen"});
}

}  // namespace
}  // namespace mlaan::testing

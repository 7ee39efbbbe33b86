#include "core/autocast_scope.h"
#include "local/recomputed_unit.h"
#include "support/closeness.h"
#include "support/errors.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/measure/memory.h>

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

struct Batch {
  torch::Tensor images;
  torch::Tensor labels;
};

Batch some_batch(std::int64_t count = 8) {
  torch::manual_seed(7);
  return {torch::randn({count, 3, 32, 32}), torch::arange(count) % 10};
}

EngineOptions in(Precision precision) {
  EngineOptions options;
  options.precision = precision;
  options.memory_format = torch::MemoryFormat::ChannelsLast;
  return options;
}

Backbone small_backbone() {
  return test_backbone("resnet8", 1);
}

Plan plan_of(const std::string& method, const Backbone& backbone,
             Recompute recompute = Recompute::none) {
  OptionSet defaults;
  Plan plan =
      method_registry().at(method).plan(backbone, default_partition(backbone, 3), defaults, 0);
  set_recompute(plan, recompute);
  return plan;
}

/// Parameters, then buffers, after three steps.
std::vector<NamedTensor> trained(Engine& engine, int steps = 3) {
  const Batch batch = some_batch();
  for (int step = 0; step < steps; ++step) engine.step(batch.images, batch.labels);
  auto tensors = engine.named_parameters();
  for (auto& named : engine.named_buffers()) tensors.push_back(std::move(named));
  return tensors;
}

void expect_same_networks(const std::vector<NamedTensor>& actual,
                          const std::vector<NamedTensor>& expected, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_same(actual[i].tensor, expected[i].tensor, what + ", " + expected[i].name);
  }
}

TEST(Precision, IsReadAndPrintedAlike) {
  for (const auto precision : {Precision::float32, Precision::bfloat16, Precision::float16}) {
    EXPECT_EQ(parse_precision(to_string(precision)), precision);
  }
  expect_user_error([] { parse_precision("bfloat"); }, {"precision", "'bfloat'", "bfloat16"});
}

TEST(Precision, EndToEndIsOrdinaryTrainingUnderAutocast) {
  const Batch batch = some_batch();
  const Backbone backbone = small_backbone();
  Engine engine(backbone, methods::e2e(backbone, default_partition(backbone, 3)),
                in(Precision::bfloat16));
  const StepResult result = engine.accumulate(batch.images, batch.labels);
  EXPECT_EQ(result.logits.scalar_type(), torch::kFloat32);
  EXPECT_EQ(result.losses.scalar_type(), torch::kFloat32);

  const Backbone plain = small_backbone();
  for (const auto& named : plain.named_parameters()) {
    if (named.tensor.dim() == 4) {
      const torch::NoGradGuard no_grad;
      named.tensor.set_data(named.tensor.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  torch::Tensor logits;
  {
    const AutocastScope scope(torch::kCPU, Precision::bfloat16);
    logits = plain.forward(batch.images.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  EXPECT_EQ(logits.scalar_type(), torch::kBFloat16) << "autocast does something";
  expect_same(result.logits, logits.to(torch::kFloat32).detach(), "logits");
  const auto loss = torch::nn::functional::cross_entropy(logits.to(torch::kFloat32), batch.labels);
  EXPECT_EQ(result.losses[0].item<float>(), loss.item<float>());
  loss.backward();
  const auto parameters = backbone.named_parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    EXPECT_EQ(parameters[i].tensor.scalar_type(), torch::kFloat32);
    EXPECT_EQ(parameters[i].tensor.grad().scalar_type(), torch::kFloat32);
    expect_close(parameters[i].tensor.grad(), plain.named_parameters()[i].tensor.grad(), 1e-6,
                 parameters[i].name);
  }
}

TEST(Precision, Bfloat16IsNearFloat32) {
  for (const auto& method : method_registry().names()) {
    std::vector<torch::Tensor> losses;
    for (const auto precision : {Precision::float32, Precision::bfloat16}) {
      const Backbone backbone = small_backbone();
      Engine engine(backbone, plan_of(method, backbone), in(precision));
      const Batch batch = some_batch();
      losses.push_back(engine.step(batch.images, batch.labels).losses.nan_to_num(0));
    }
    EXPECT_FALSE(torch::equal(losses[0], losses[1])) << method;
    expect_close(losses[1], losses[0], 0.03, method);
  }
}

TEST(Precision, RecomputationIsExactInBfloat16) {
  for (const std::string method : {"e2e", "dgl", "mlaan", "mlaan-lean"}) {
    std::vector<NamedTensor> kept;
    for (const auto recompute :
         {Recompute::none, Recompute::activations, Recompute::module, Recompute::units}) {
      const Backbone backbone = small_backbone();
      Engine engine(backbone, plan_of(method, backbone, recompute), in(Precision::bfloat16));
      const auto network = trained(engine);
      if (recompute == Recompute::none) {
        kept = network;
      } else {
        expect_same_networks(network, kept,
                             method + ", policy " + std::to_string(static_cast<int>(recompute)));
      }
    }
  }
}

TEST(Precision, UpdatesUnderWayAreSeenByTheNextForwardPass) {
  std::vector<std::vector<NamedTensor>> networks;
  for (const bool fused : {false, true}) {
    const Backbone backbone = small_backbone();
    EngineOptions options = in(Precision::bfloat16);
    options.fused_update = fused;
    Engine engine(backbone, plan_of("mlaan", backbone), options);
    networks.push_back(trained(engine));
  }
  expect_same_networks(networks[1], networks[0], "fused");
}

TEST(Precision, AutocastIsAsItWasAfterAStep) {
  const AutocastState before = AutocastState::of(torch::kCPU);
  ASSERT_FALSE(before.enabled);
  ASSERT_TRUE(at::autocast::is_autocast_cache_enabled());
  const Backbone backbone = small_backbone();
  Engine engine(backbone, plan_of("mlaan", backbone, Recompute::units), in(Precision::bfloat16));
  std::size_t operations = 0;
  engine.set_observer([&](const Operation&) {
    ++operations;
    EXPECT_FALSE(AutocastState::of(torch::kCPU).enabled);
  });
  trained(engine, 1);
  EXPECT_GT(operations, 0U);
  EXPECT_TRUE(at::autocast::is_autocast_cache_enabled());
}

TEST(Precision, UnitsRunAgainUnderTheAutocastOfTheirForwardPass) {
  const auto gradient = [](bool recomputed) {
    torch::manual_seed(3);
    const Unit unit("convolution", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 4, 3)));
    const auto images = some_batch().images;
    torch::Tensor output;
    {
      const AutocastScope scope(torch::kCPU, Precision::bfloat16);
      output = recomputed ? run_recomputed(unit, images) : unit.forward(images);
    }
    EXPECT_EQ(output.scalar_type(), torch::kBFloat16);
    // The backward pass is under another autocast than the forward pass: none.
    output.sin().sum().backward();
    return unit.named_parameters().front().tensor.grad();
  };
  expect_same(gradient(true), gradient(false), "gradient");
}

TEST(Precision, PredictionsAreInFloat32) {
  const Batch batch = some_batch();
  std::vector<torch::Tensor> logits;
  for (const auto precision : {Precision::float32, Precision::bfloat16}) {
    const Backbone backbone = small_backbone();
    Engine engine(backbone, plan_of("dgl", backbone), in(precision));
    logits.push_back(engine.predict(batch.images));
  }
  expect_same(logits[1], logits[0], "logits");
}

TEST(Precision, AStepInBfloat16LeavesNothingBehind) {
  const Batch batch = some_batch();
  const Backbone backbone = small_backbone();
  Engine engine(backbone, plan_of("mlaan", backbone), in(Precision::bfloat16));
  trained(engine, 2);
  const auto before = measure::read_memory(torch::kCPU).live;
  engine.step(batch.images, batch.labels);
  EXPECT_EQ(measure::read_memory(torch::kCPU).live, before);
}

/// What is kept, not the peak: processors that do not compute in bfloat16 convert within operators.
TEST(Precision, AForwardPassInBfloat16KeepsFewerBytes) {
  const Batch batch = some_batch();
  const Backbone backbone = small_backbone();
  const auto kept_in = [&](Precision precision) {
    const AutocastScope scope(torch::kCPU, precision);
    const auto before = measure::read_memory(torch::kCPU).live;
    const auto logits = backbone.forward(batch.images);
    return static_cast<double>(measure::read_memory(torch::kCPU).live - before);
  };
  const double kept = kept_in(Precision::float32);
  EXPECT_GT(kept, 0);
  EXPECT_LT(kept_in(Precision::bfloat16), 0.6 * kept);
}

TEST(Precision, WhatADeviceCannotComputeInIsRefused) {
  const Backbone backbone = small_backbone();
  const Plan plan = plan_of("dgl", backbone);
  expect_user_error([&] { Engine(backbone, plan, in(Precision::float16)); },
                    {"engine.precision", "float16", "cpu", "float32, bfloat16"});
  backbone.to(torch::kFloat64);
  expect_user_error([&] { Engine(backbone, plan, in(Precision::bfloat16)); },
                    {"engine.precision", "bfloat16", "Double"});
}

}  // namespace
}  // namespace mlaan::testing

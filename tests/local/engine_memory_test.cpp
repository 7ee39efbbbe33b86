// What a step of the engine holds in memory, and when it lets go.
#include "local/operations/backward_module.h"
#include "support/closeness.h"
#include "support/errors.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/published.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

std::int64_t live_bytes() {
  return measure::read_memory(torch::kCPU).live;
}

/// Lets an engine reach the state that every later step starts from.
void warm_up(Engine& engine, const torch::Tensor& images, const torch::Tensor& labels) {
  for (int step = 0; step < 2; ++step) engine.step(images, labels);
}

TEST(EngineMemory, AStepLeavesNothingBehind) {
  const auto images = some_images(4);
  const auto labels = torch::arange(4);
  for (const auto& entry : method_registry().entries()) {
    const Backbone backbone = test_backbone("resnet8", 0);
    OptionSet options;
    Engine engine(backbone, entry.plan(backbone, default_partition(backbone, 0), options, 0));
    warm_up(engine, images, labels);
    const auto before = live_bytes();
    engine.step(images, labels);
    EXPECT_EQ(live_bytes(), before) << entry.name;
  }
}

TEST(EngineMemory, AModulesActivationsAreGoneAfterItsLastWindow) {
  const auto images = some_images(16);
  const auto labels = torch::arange(16) % 10;
  const Backbone backbone = test_backbone("resnet20", 0);
  Engine engine(backbone, methods::mlaan(backbone, default_partition(backbone, 0)));
  warm_up(engine, images, labels);
  const std::int64_t before = live_bytes();
  const std::int64_t map = 16LL * 16 * 32 * 32 * 4;  // one map of the first stage
  std::size_t finished = 0;
  engine.set_observer([&](const Operation& operation) {
    const auto* backward = dynamic_cast<const BackwardModule*>(&operation);
    if (backward == nullptr || !backward->settings().last) return;
    ++finished;
    // Alive are at most the one younger module of the window and a few boundary tensors: the module
    // itself held ten maps (first) or four.
    if (backward->module() <= 1) {
      EXPECT_LE(live_bytes() - before, (backward->module() == 0 ? 8 : 7) * map);
    }
  });
  engine.step(images, labels);
  EXPECT_EQ(finished, 9U);
}

/// Peak of activations in a step, the split by kind having the rest.
std::int64_t activation_peak(const std::string& model, const std::string& method) {
  const auto images = some_images(8);
  const auto labels = torch::arange(8);
  const Backbone backbone = test_backbone(model, 0);
  OptionSet options;
  EngineOptions engine_options;
  engine_options.memory_format = torch::MemoryFormat::ChannelsLast;
  Engine engine(
      backbone,
      method_registry().at(method).plan(backbone, default_partition(backbone, 0), options, 0),
      engine_options);
  warm_up(engine, images, labels);
  measure::reset_peak(torch::kCPU);
  engine.step(images, labels);
  return measure::read_memory(torch::kCPU)
      .peak_by_kind.at(static_cast<std::size_t>(measure::MemoryKind::activations));
}

TEST(EngineMemory, ActivationPeakDoesNotGrowWithDepth) {
  for (const char* method : {"greedy", "dgl", "mlm", "mlaan"}) {
    const auto shallow = activation_peak("resnet32", method);
    const auto deep = activation_peak("resnet110", method);
    EXPECT_LE(static_cast<double>(deep), 1.01 * static_cast<double>(shallow)) << method;
  }
  EXPECT_GE(activation_peak("resnet110", "e2e"), 3 * activation_peak("resnet32", "e2e"))
      << "end-to-end's does grow, so the measure sees what it should";
}

TEST(EngineMemory, FusedUpdateHoldsTheGradientsOfFewModules) {
  const auto images = some_images(2);
  const auto labels = torch::arange(2);
  const auto peak = [&](bool fused) {
    const Backbone backbone = test_backbone("resnet20", 0);
    EngineOptions options;
    options.fused_update = fused;
    Engine engine(backbone, methods::mlaan(backbone, default_partition(backbone, 0)), options);
    warm_up(engine, images, labels);
    std::int64_t highest = 0;
    engine.set_observer([&](const Operation&) {
      const auto gradients =
          measure::read_memory(torch::kCPU)
              .live_by_kind.at(static_cast<std::size_t>(measure::MemoryKind::gradients));
      highest = std::max(highest, gradients);
    });
    engine.step(images, labels);
    return highest;
  };
  EXPECT_LE(4 * peak(true), peak(false));
}

}  // namespace
}  // namespace mlaan::testing

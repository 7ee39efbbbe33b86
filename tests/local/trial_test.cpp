#include "support/test_backbone.h"

#include <mlaan/core/random.h>
#include <mlaan/local/automatic_recompute.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/local/trial.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace mlaan::testing {
namespace {

Backbone make(const std::string& model) {
  return test_backbone(model, 0);
}

Plan make_plan(const Backbone& backbone, const std::string& method, std::size_t modules) {
  OptionSet options;
  return method_registry().at(method).plan(backbone, default_partition(backbone, modules), options,
                                           0);
}

EngineOptions channels_last() {
  EngineOptions options;
  options.memory_format = torch::MemoryFormat::ChannelsLast;
  return options;
}

/// What a step really takes, at the most of a few.
std::int64_t measured_peak(const std::string& model, const std::string& method, std::size_t modules,
                           const std::string& recompute, std::int64_t batch) {
  const std::int64_t before = measure::read_memory(torch::kCPU).live;
  const Backbone backbone = make(model);
  Plan plan = make_plan(backbone, method, modules);
  set_recompute(plan, parse_recompute(recompute));
  for (auto& supervision : plan.supervisions) supervision.probability = 1;
  Engine engine(backbone, plan, channels_last());
  torch::Tensor images;
  {
    const measure::MemoryKindScope kind(measure::MemoryKind::data);
    images = torch::randn({batch, 3, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  }
  const auto labels = torch::zeros({batch}, torch::kInt64);
  engine.step(images, labels);
  measure::reset_peak(torch::kCPU);
  engine.step(images, labels);
  return measure::read_memory(torch::kCPU).peak - before;
}

TEST(Trial, PredictsThePeakOfTwentyRandomSettings) {
  const std::array<const char*, 3> models{"resnet8", "resnet14", "resnet20"};
  const std::array<const char*, 4> recomputations{"none", "activation", "module", "unit"};
  const auto methods = method_registry().names();
  RandomStream random(20);
  const auto draw = [&](std::size_t count) {
    return static_cast<std::size_t>(random.uniform() * static_cast<double>(count));
  };
  for (int setting = 0; setting < 20; ++setting) {
    const std::string model = models.at(draw(models.size()));
    const std::string method = methods.at(draw(methods.size()));
    const std::string recompute = recomputations.at(draw(recomputations.size()));
    const std::size_t modules = 2 + draw(2);
    const auto batch = static_cast<std::int64_t>(8 + draw(57));
    const Backbone backbone = make(model);
    Plan plan = make_plan(backbone, method, modules);
    set_recompute(plan, parse_recompute(recompute));
    const Trial trial(backbone, plan, channels_last());
    const double ratio =
        static_cast<double>(trial.peak_bytes(batch)) /
        static_cast<double>(measured_peak(model, method, modules, recompute, batch));
    const std::string what = method + " of " + model + " in " + std::to_string(modules) +
                             ", recompute " + recompute + ", batch " + std::to_string(batch);
    EXPECT_LE(ratio, 1.05) << what;
    EXPECT_GE(ratio, 0.98) << what;
  }
}

TEST(Trial, LargestBatchIsTheLastThatFits) {
  const Backbone backbone = make("resnet8");
  const Trial trial(backbone, make_plan(backbone, method_registry().names().front(), 3),
                    channels_last());
  const std::int64_t bytes = trial.peak_bytes(100);
  const std::int64_t largest = trial.largest_batch(bytes);
  EXPECT_LE(trial.peak_bytes(largest), bytes);
  EXPECT_GT(trial.peak_bytes(largest + 1), bytes);
  EXPECT_EQ(trial.largest_batch(trial.resting_bytes() / 2), 0);
}

TEST(AutomaticRecompute, LowersThePeakBelowEveryUniformChoice) {
  for (const std::string method : {"mlm", "mlaan"}) {
    const Backbone backbone = make("resnet14");
    Plan plan = make_plan(backbone, method, 6);
    Trial trial(backbone, plan, channels_last());
    constexpr std::int64_t batch = 64;
    std::int64_t lowest = trial.peak_bytes(batch);
    for (const auto* recompute : {"activation", "module", "unit"}) {
      Plan uniform = plan;
      set_recompute(uniform, parse_recompute(recompute));
      trial.set_recompute(uniform.recompute, uniform.recompute_nets);
      lowest = std::min(lowest, trial.peak_bytes(batch));
    }
    trial.set_recompute({}, {});
    const std::int64_t reached = reduce_peak(trial, batch);
    EXPECT_EQ(reached, trial.peak_bytes(batch));
    EXPECT_LE(static_cast<double>(reached), 1.01 * static_cast<double>(lowest)) << method;
  }
}

TEST(AutomaticRecompute, DoesNoMoreThanTheBytesAskFor) {
  const Backbone backbone = make("resnet14");
  Trial trial(backbone, make_plan(backbone, "mlm", 6), channels_last());
  constexpr std::int64_t batch = 64;
  const std::int64_t plain = trial.peak_bytes(batch);
  EXPECT_EQ(reduce_peak(trial, batch, plain), plain);
  for (std::size_t j = 0; j < 6; ++j) {
    EXPECT_EQ(recompute_of_module(trial.plan(), j), Recompute::none) << j;
  }
  const std::int64_t less = plain * 9 / 10;
  EXPECT_LE(reduce_peak(trial, batch, less), less);
}

}  // namespace
}  // namespace mlaan::testing

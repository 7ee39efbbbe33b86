#include "support/configured.h"
#include "support/errors.h"
#include "support/test_backbone.h"
#include "train/stage_simulation.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/train/layout_prediction.h>
#include <mlaan/train/options.h>
#include <mlaan/train/stage_split.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace mlaan::testing {
namespace {

TEST(StageSplit, ReadsTheModulesThatStagesBeginWith) {
  EXPECT_EQ(parse_stage_split("3,7"), (std::vector<std::size_t>{0, 2, 6}));
  for (const char* wrong : {"", "1", "7,3", "3,3", "a", "3;4"}) {
    EXPECT_THROW(parse_stage_split(wrong), UserError) << wrong;
    EXPECT_THROW(configured({std::string("dist.split=") + wrong}), UserError) << wrong;
  }
  const Settings config = configured({"dist.stages=3", "dist.split=3,7"});
  EXPECT_EQ(first_modules_of_stages(config, 7), (std::vector<std::size_t>{0, 2, 6}));
  expect_user_error([&] { first_modules_of_stages(config, 6); }, {"dist.split = \"3,7\"", "6"});
}

TEST(StageSplit, MakesTheMostExpensiveStageAsCheapAsCanBe) {
  EXPECT_EQ(balanced_stages({5, 1, 1, 1, 2}, 2), (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(balanced_stages({0.1, 0.1, 0.4, 0.4}, 2), (std::vector<std::size_t>{0, 3}));
  EXPECT_EQ(balanced_stages({1, 1, 1, 1, 1, 1, 1, 1, 1}, 3), (std::vector<std::size_t>{0, 3, 6}));
  // A border that windows cross is worth a little, not much.
  EXPECT_EQ(balanced_stages({10, 10, 10, 10}, 2, {0, 8, 0}), (std::vector<std::size_t>{0, 2}));
  EXPECT_EQ(balanced_stages({10, 10, 1, 10, 10}, 2, {0, 2, 0, 0}),
            (std::vector<std::size_t>{0, 3}));
}

TEST(Layouts, ReadsSpeedsOfNetworks) {
  EXPECT_DOUBLE_EQ(parse_bandwidth("10Gbit"), 1.25e9);
  EXPECT_DOUBLE_EQ(parse_bandwidth("1.5GB"), 1.5e9);
  EXPECT_DOUBLE_EQ(parse_latency("50us"), 50e-6);
  for (const char* wrong : {"", "10", "Gbit", "-1Gbit", "0Mbit", "10 Gbits"}) {
    EXPECT_THROW(parse_bandwidth(wrong), UserError) << wrong;
  }
  for (const char* wrong : {"", "5", "ms", "-1ms", "5m"}) {
    EXPECT_THROW(parse_latency(wrong), UserError) << wrong;
  }
}

TEST(Layouts, OneForwardOneBackwardHasItsBubble) {
  // S stages of one second, M micro-batches, no network to speak of: (M + S - 1) / M seconds.
  const NetworkSpeed fast{1e12, 0};
  const auto steps =
      simulate_one_forward_one_backward({0.4, 0.4, 0.4}, {0.6, 0.6, 0.6}, {8, 8}, 6, fast);
  EXPECT_NEAR(steps.step_seconds, (6.0 + 3 - 1) / 6, 1e-9);
  EXPECT_NEAR(steps.stages[1].waiting_seconds, 2.0 / 6, 1e-9);
  EXPECT_EQ(steps.stages[1].bytes_sent, 16);
}

/// A step of two stages whose operations take a second each, over a network that takes none.
/// \return its seconds above those of the busier stage.
double seconds_lost(const std::string& method, std::int64_t delay) {
  const Backbone backbone = test_backbone("resnet20", 1);
  OptionSet options;
  options.get<LamOptions>().twins = "all";
  const Plan plan = find_method(method).plan(backbone, Partition::uniform(backbone, 8), options, 0);
  const Engine engine(backbone, plan);
  std::vector<StageLoad> loads;
  Stages stages;
  stages.first_modules = {0, 4};
  FollowedModules followed;  // those whose parameters nets read
  for (const auto& operation : engine.schedule().operations) {
    if (operation->activity() != Activity::supervise) continue;
    for (const auto& resource : operation->access().reads) {
      if (resource.kind != Resource::Kind::module_parameters) continue;
      followed[resource.owner].resize(2, false);
      followed[resource.owner][stages.of_module(operation->module())] = true;
    }
  }
  for (stages.own = 0; stages.own < 2; ++stages.own) {
    StageLoad load;
    load.schedule = make_stage_schedule(engine.schedule(), stages, followed, delay, true);
    for (const auto& operation : load.schedule.operations) {
      const bool passes =
          operation->activity() == Activity::transfer || operation->activity() == Activity::update;
      load.seconds.push_back(passes ? 0 : 1);
    }
    load.bytes.assign(load.seconds.size(), 1);
    load.reduced_bytes.assign(load.seconds.size(), 0);
    loads.push_back(std::move(load));
  }
  const SimulatedSteps steps = simulate_stages(loads, {1e12, 0}, delay, /*replicas=*/1);
  return steps.step_seconds - std::max(steps.stages[0].busy_seconds, steps.stages[1].busy_seconds);
}

TEST(Layouts, StagesLoseNoTimeWhereNothingComesBackInTime) {
  EXPECT_NEAR(seconds_lost("dgl", 0), 0, 0.1);
  // The windows across the border: their modules wait, all others go on.
  EXPECT_NEAR(seconds_lost("mlm", 0), 0, 0.1);
  // Twins in the first stage's nets wait for the second one, unless they follow late.
  EXPECT_GT(seconds_lost("lam", 0), 1);
  EXPECT_NEAR(seconds_lost("lam", 1), 0, 0.1);
  EXPECT_GT(seconds_lost("e2e", 0), 5);
}

TEST(Layouts, ArePredictedOfTheWholeBatch) {
  const Settings config = configured({"model=resnet8", "modules=3", "batch_size=16", "method=mlaan",
                                      "engine.memory_format=channels_last"});
  LayoutRequest request;
  request.stages = 2;
  request.replicas = 2;
  request.network = {1e6, 0};
  const auto layouts = predict_layouts(config, request, [](const std::string&) {});
  ASSERT_EQ(layouts.size(), 5);
  ASSERT_EQ(layouts[1].stages.size(), 2);
  EXPECT_NEAR(layouts[0].step_seconds,
              layouts[1].stages[0].busy_seconds + layouts[1].stages[1].busy_seconds, 1e-6);
  EXPECT_EQ(layouts[0].images, 16);
  for (std::size_t i = 1; i < layouts.size(); ++i) EXPECT_EQ(layouts[i].images, 32);
  // Through a narrow network it is messages that are waited for: module 1's output of 16 images.
  EXPECT_GT(layouts[1].step_seconds, 16 * 16 * 16 * 16 * 4 / 1e6);
  for (const auto& layout : layouts) {
    for (const auto& stage : layout.stages) EXPECT_GT(stage.peak_bytes, 100000) << layout.name;
  }
}

}  // namespace
}  // namespace mlaan::testing

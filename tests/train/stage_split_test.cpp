#include "support/configured.h"
#include "support/errors.h"
#include "train/stage_simulation.h"

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

TEST(Layouts, MethodsOfSingleModulesHaveNoBubble) {
  Settings config = configured({"model=resnet8", "modules=3", "batch_size=16", "method=dgl",
                                "engine.memory_format=channels_last"});
  const auto predict = [&](const std::string& method, double bandwidth) {
    LayoutRequest request;
    request.stages = 2;
    request.replicas = 2;
    request.network = {bandwidth, 0};
    return predict_layouts(config.with("method", method, "a test"), request,
                           [](const std::string&) {});
  };
  const auto dgl = predict("dgl", 1e15);
  ASSERT_EQ(dgl.size(), 5);
  ASSERT_EQ(dgl[1].stages.size(), 2);
  const auto busiest = [](const PredictedLayout& layout) {
    double most = 0;
    for (const auto& stage : layout.stages) most = std::max(most, stage.busy_seconds);
    return most;
  };
  EXPECT_NEAR(dgl[1].step_seconds / busiest(dgl[1]), 1, 1e-3);
  EXPECT_NEAR(dgl[0].step_seconds, dgl[1].stages[0].busy_seconds + dgl[1].stages[1].busy_seconds,
              1e-6);
  EXPECT_EQ(dgl[0].images, 16);
  EXPECT_EQ(dgl[1].images, 32);
  EXPECT_EQ(dgl[4].images, 32);
  // Through a narrow network the messages are what is waited for: 16 images of module 1's output.
  const auto narrow = predict("dgl", 1e6);
  EXPECT_GT(narrow[1].step_seconds, 16 * 16 * 16 * 16 * 4 / 1e6);
  // Twins wait for the later stage, unless they follow late.
  const auto waiting = predict("mlaan", 1e15);
  EXPECT_GT(waiting[1].step_seconds / busiest(waiting[1]), 1.2);
  config = config.with("dist.twin_delay", "1", "a test");
  const auto late = predict("mlaan", 1e15);
  EXPECT_LT(late[1].step_seconds / busiest(late[1]), 1.1);
}

}  // namespace
}  // namespace mlaan::testing

#include "local/operations/forward_module.h"
#include "support/test_backbone.h"

#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/local/published.h>
#include <mlaan/local/schedule.h>
#include <mlaan/nn/backbones.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace mlaan::testing {
namespace {

class ScheduleOfResNet8 : public ::testing::Test {
 protected:
  Schedule schedule(const Plan& plan, bool fused_update) const {
    const PartFacts facts{std::vector<bool>(plan.partition.size(), true),
                          std::vector<bool>(nets(plan).size(), true)};
    return make_schedule(plan, facts, fused_update);
  }

  std::string text(const Plan& plan, bool fused_update = false) const {
    const Schedule made = schedule(plan, fused_update);
    std::string lines;
    for (const auto& operation : made.operations) lines += operation->text() + "\n";
    return lines;
  }

  Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  Partition partition = default_partition(backbone, 3);
};

TEST_F(ScheduleOfResNet8, EndToEndIsBackpropagationWithOneProductAModule) {
  EXPECT_EQ(text(methods::e2e(backbone, partition)),
            "forward 1\nforward 2\nforward 3\nsupervise 3 by net 1\n"
            "backward 3 from group 1: parameters and input\n"
            "backward 2 from group 1: parameters and input\n"
            "backward 1: parameters\n"
            "update net 1\nupdate 3\nupdate 2\nupdate 1\n");
}

TEST_F(ScheduleOfResNet8, CheckpointingRecomputesAllSegmentsButTheLast) {
  EXPECT_EQ(text(methods::checkpoint(backbone, partition)),
            "forward 1\nforward 2\nforward 3\nsupervise 3 by net 1\n"
            "backward 3 from group 1: parameters and input\n"
            "recompute 2\nbackward 2 from group 1: parameters and input\n"
            "recompute 1\nbackward 1: parameters\n"
            "update net 1\nupdate 3\nupdate 2\nupdate 1\n");
}

TEST_F(ScheduleOfResNet8, DglFinishesEachModuleBeforeTheNext) {
  EXPECT_EQ(text(methods::dgl(backbone, partition), /*fused_update=*/true),
            "forward 1\nsupervise 1 by net 1\nupdate net 1\nbackward 1: parameters\nupdate 1\n"
            "forward 2\nsupervise 2 by net 2\nupdate net 2\nbackward 2: parameters\nupdate 2\n"
            "forward 3\nsupervise 3 by net 3\nupdate net 3\nbackward 3: parameters\nupdate 3\n");
}

TEST_F(ScheduleOfResNet8, MlmKeepsTwoModulesAlive) {
  EXPECT_EQ(text(methods::mlm(backbone, partition), /*fused_update=*/true),
            "forward 1\nsupervise 1 by net 1\nupdate net 1\n"
            "forward 2\nsupervise 2 by net 2\nupdate net 2\n"
            "backward 2 from group 1: input\nbackward 1: parameters\nupdate 1\n"
            "supervise 2 by net 3\nupdate net 3\n"
            "forward 3\nsupervise 3 by net 4\nupdate net 4\n"
            "backward 3 from group 2: input\nbackward 3: parameters\nupdate 3\n"
            "backward 2: parameters\nupdate 2\n");
}

TEST_F(ScheduleOfResNet8, SupervisionsOfTheHeadAreEvaluatedOnce) {
  const Schedule made = schedule(methods::mlm(backbone, partition), false);
  const Evaluation& last = made.evaluations.back();
  EXPECT_EQ(last.supervisions.size(), 2U);
  ASSERT_EQ(last.groups.size(), 2U);
  EXPECT_DOUBLE_EQ(last.weight, 1.0);
}

TEST_F(ScheduleOfResNet8, WeightZeroIsNotEvaluated) {
  MlmOptions options;
  options.independent_weight = 0;
  const Schedule made = schedule(methods::mlm(backbone, partition, options), false);
  EXPECT_EQ(made.evaluations.size(), 2U) << "two windows of two modules";
}

TEST_F(ScheduleOfResNet8, FrozenModulesCostNoProductWhereNothingTravels) {
  const Plan plan = methods::dgl(backbone, partition);
  const PartFacts facts{{false, true, true}, {false, true, true}};
  const Schedule made = make_schedule(plan, facts, false);
  const auto& first = dynamic_cast<const ForwardModule&>(*made.operations.front());
  EXPECT_EQ(first.keep(), Keep::nothing);
  for (const auto& operation : made.operations) {
    EXPECT_FALSE(operation->activity() == Activity::backward && operation->module() == 0);
  }
}

TEST_F(ScheduleOfResNet8, OperationsWaitForWhatTheyReadAndOverwrite) {
  const Schedule made = schedule(methods::mlm(backbone, partition), /*fused_update=*/true);
  const auto before = dependencies(made.operations);
  const auto index = [&](const std::string& text) {
    const auto found =
        std::find_if(made.operations.begin(), made.operations.end(),
                     [&](const auto& operation) { return operation->text() == text; });
    EXPECT_NE(found, made.operations.end()) << text;
    return static_cast<std::size_t>(found - made.operations.begin());
  };
  const auto waits = [&](const std::string& later, const std::string& earlier) {
    const auto& all = before[index(later)];
    return std::find(all.begin(), all.end(), index(earlier)) != all.end();
  };
  EXPECT_TRUE(waits("forward 2", "forward 1"));
  EXPECT_FALSE(waits("forward 2", "supervise 1 by net 1")) << "it only reads what that reads";
  EXPECT_TRUE(waits("backward 1: parameters", "backward 2 from group 1: input"));
  EXPECT_TRUE(waits("update 1", "backward 1: parameters"));
}

TEST_F(ScheduleOfResNet8, WhateverRunsANetReadsTheModulesThatItsTwinsFollow) {
  OptionSet options;
  const Plan plan =
      find_method("man").plan(test_backbone("resnet8", 0), partition, options, /*seed=*/0);
  const std::size_t count = nets(plan).size();
  const PartFacts facts{std::vector<bool>(3, true), std::vector<bool>(count, true),
                        std::vector<std::vector<std::size_t>>(count, {2})};
  const Resource twin{Resource::Kind::module_parameters, 2};
  int trunks = 0;
  for (const auto& operation : make_schedule(plan, facts, true).operations) {
    if (operation->activity() != Activity::supervise) continue;
    const auto reads = operation->access().reads;
    EXPECT_NE(std::find(reads.begin(), reads.end(), twin), reads.end()) << operation->text();
    if (operation->text().find("trunk") != std::string::npos) ++trunks;
  }
  EXPECT_EQ(trunks, 4) << "two modules have a trunk, each forward and backward";
}

TEST_F(ScheduleOfResNet8, AnOrderAgainstADependencyIsRefused) {
  const Schedule made = schedule(methods::dgl(backbone, partition), true);
  std::vector<std::size_t> order(made.operations.size());
  std::iota(order.begin(), order.end(), 0);
  EXPECT_EQ(in_order(made, order).operations, made.operations);
  std::swap(order[0], order[1]);
  try {
    in_order(made, order);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "'supervise 1 by net 1' cannot run ahead of 'forward 1', which it depends on");
  }
  order = {0, 1};
  EXPECT_THROW(in_order(made, order), Error);
}

}  // namespace
}  // namespace mlaan::testing

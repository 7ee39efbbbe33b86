#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/local/published.h>
#include <mlaan/local/schedule.h>
#include <mlaan/nn/backbones.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

class ScheduleOfResNet8 : public ::testing::Test {
 protected:
  Schedule schedule(const Plan& plan, bool fused_update) const {
    const Trainable trainable{std::vector<bool>(plan.partition.size(), true),
                              std::vector<bool>(nets(plan).size(), true)};
    return make_schedule(plan, trainable, fused_update);
  }

  std::string text(const Plan& plan, bool fused_update = false) const {
    const Schedule made = schedule(plan, fused_update);
    std::string lines;
    for (const auto& operation : made.operations) lines += to_string(operation, made) + "\n";
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
  const Trainable trainable{{false, true, true}, {false, true, true}};
  const Schedule made = make_schedule(plan, trainable, false);
  const auto& first = std::get<RunModule>(made.operations.front());
  EXPECT_EQ(first.keep, Keep::nothing);
  for (const auto& operation : made.operations) {
    const auto* product = std::get_if<Product>(&operation);
    EXPECT_FALSE(product != nullptr && product->module == 0);
  }
}

}  // namespace
}  // namespace mlaan::testing

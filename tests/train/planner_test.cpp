#include "support/configured.h"
#include "support/errors.h"

#include <mlaan/train/options.h>
#include <mlaan/train/planner.h>
#include <mlaan/train/setup.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

Settings planned_run(const std::vector<std::string>& more) {
  return configured({"model=resnet8", "method=dgl", "modules=2", "batch_size=8",
                     "procedural.train_size=16", "procedural.test_size=4"},
                    more);
}

TEST(Planner, MeasuresEverySettingThatItPredicts) {
  const Settings config = planned_run({"engine.memory_format=channels_last"});
  const auto silent = [](const std::string&) {};
  PlanReport report = plan_training(config, make_data(config), 0, /*rivals=*/true, silent);
  ASSERT_GE(report.settings.size(), 4U);
  ASSERT_TRUE(report.chosen);
  EXPECT_EQ(report.settings.at(*report.chosen).method, "dgl");
  measure_settings(config, report, silent);
  for (const auto& setting : report.settings) {
    const std::string what = setting.method + ", recompute " + setting.recompute;
    ASSERT_TRUE(setting.measured_peak_bytes && setting.measured_step_seconds) << what;
    EXPECT_NEAR(
        static_cast<double>(setting.peak_bytes) / static_cast<double>(*setting.measured_peak_bytes),
        1, 0.05)
        << what;
    EXPECT_GT(*setting.measured_step_seconds, 0) << what;
  }
}

std::vector<PlannedSetting> planned(const std::vector<std::string>& more) {
  const Settings config = configured({"model=resnet8", "batch_size=8", "procedural.train_size=16",
                                      "procedural.test_size=4", "memory=1GiB"},
                                     more);
  return plan_training(config, make_data(config), 1 << 30, /*rivals=*/false,
                       [](const std::string&) {})
      .settings;
}

TEST(Planner, LeavesOutNumbersOfModulesThatWindowsDoNotFitInto) {
  const auto settings = planned({"method=mlm", "mlm.window=3"});
  ASSERT_FALSE(settings.empty());
  for (const auto& setting : settings) EXPECT_GE(setting.modules, 3);
  expect_user_error(
      [] {
        planned({"method=mlm", "mlm.window=3", "modules=2"});
      },
      {"window of 3 modules", "partition into 2"});
}

TEST(Planner, KeepsThePartitionOfTheRun) {
  for (const auto& setting : planned({"method=dgl", "modules=2", "partition=uniform"})) {
    EXPECT_EQ(setting.partition, "uniform");
  }
  const auto by_hand = planned({"method=dgl", "partition=layer1.0,layer2.0"});
  ASSERT_FALSE(by_hand.empty());
  for (const auto& setting : by_hand) {
    EXPECT_EQ(setting.partition, "layer1.0,layer2.0");
    EXPECT_EQ(setting.modules, 3);
  }
}

TEST(Planner, RecomputesInMicroBatchesWhatTrainingDoes) {
  const std::vector<std::string> settings{"engine.memory_format=channels_last", "method=mlm",
                                          "batch_size=32", "procedural.train_size=32"};
  const auto silent = [](const std::string&) {};
  const auto automatic = [&](std::int64_t bytes) {
    auto more = settings;
    if (bytes > 0) more.push_back("memory=" + std::to_string(bytes) + "B");
    const Settings config = planned_run(more);
    PlanReport report = plan_training(config, make_data(config), bytes, /*rivals=*/false, silent);
    measure_settings(config, report, silent);
    return report.settings.back();
  };
  const PlannedSetting whole = automatic(0);
  ASSERT_EQ(whole.recompute, "auto");
  ASSERT_EQ(whole.micro_batches, 1);
  const std::int64_t bytes = whole.peak_bytes * 9 / 10;
  const PlannedSetting in_parts = automatic(bytes);
  ASSERT_EQ(in_parts.recompute, "auto");
  ASSERT_EQ(in_parts.micro_batches, 2);
  EXPECT_TRUE(in_parts.fits);
  const double ratio =
      static_cast<double>(in_parts.peak_bytes) / static_cast<double>(*in_parts.measured_peak_bytes);
  EXPECT_GE(ratio, 0.98);
  EXPECT_LE(ratio, 1.05);
  EXPECT_LE(*in_parts.measured_peak_bytes, bytes);
}

}  // namespace
}  // namespace mlaan::testing

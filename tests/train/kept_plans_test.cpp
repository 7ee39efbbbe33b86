#include "train/kept_plans.h"

#include "support/configured.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

class KeptPlansTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* before = std::getenv("XDG_CACHE_HOME")) before_ = before;
    setenv("XDG_CACHE_HOME", folder.path().c_str(), 1);
  }
  void TearDown() override {
    if (before_.empty()) {
      unsetenv("XDG_CACHE_HOME");
    } else {
      setenv("XDG_CACHE_HOME", before_.c_str(), 1);
    }
  }

  static std::string key_of(const std::vector<std::string>& settings) {
    const Settings config = configured({"memory=100MiB"}, settings);
    return plan_key(config, "program");
  }

  static PlanReport report() {
    PlanReport report;
    PlannedSetting setting;
    setting.method = "mlm";
    setting.modules = 3;
    setting.partition = "bytes";
    setting.recompute = "auto";
    setting.micro_batches = 2;
    setting.batch = 64;
    setting.peak_bytes = 12345678901;
    setting.step_seconds = 0.1;
    setting.largest_batch = 77;
    report.settings = {PlannedSetting(), setting};
    report.settings[0].fits = false;
    report.chosen = 1;
    return report;
  }

  TemporaryFolder folder;

 private:
  std::string before_;
};

TEST_F(KeptPlansTest, AreFoundUnderTheSettingsThatStepsDependOn) {
  EXPECT_FALSE(find_kept_plan(key_of({})));
  keep_plan(key_of({}), report());
  const auto found =
      find_kept_plan(key_of({"epochs=9", "lr=3", "seed=4", "output=x", "limit.steps=3"}));
  ASSERT_TRUE(found);
  ASSERT_EQ(found->settings.size(), 2U);
  EXPECT_EQ(*found->chosen, 1U);
  EXPECT_FALSE(found->settings[0].fits);
  const PlannedSetting& setting = found->settings[1];
  EXPECT_EQ(setting.method, "mlm");
  EXPECT_EQ(setting.modules, 3);
  EXPECT_EQ(setting.partition, "bytes");
  EXPECT_EQ(setting.recompute, "auto");
  EXPECT_EQ(setting.micro_batches, 2);
  EXPECT_EQ(setting.batch, 64);
  EXPECT_EQ(setting.peak_bytes, 12345678901);
  EXPECT_EQ(setting.step_seconds, 0.1);
  EXPECT_EQ(setting.largest_batch, 77);
  for (const char* other : {"memory=101MiB", "batch_size=65", "model=resnet56", "method=mlm",
                            "engine.precision=bfloat16", "threads=1000", "augment.mixup=0.1",
                            "optimizer.type=adam", "data=elsewhere"}) {
    EXPECT_FALSE(find_kept_plan(key_of({other}))) << other;
  }
}

TEST_F(KeptPlansTest, OfAFileThatHasChangedAreNotFound) {
  const std::string plan = folder / "plan.toml";
  write_text(plan, "# one\n");
  keep_plan(key_of({"method=" + plan}), report());
  EXPECT_TRUE(find_kept_plan(key_of({"method=" + plan})));
  write_text(plan, "# another\n");
  EXPECT_FALSE(find_kept_plan(key_of({"method=" + plan})));
}

TEST_F(KeptPlansTest, ThatAreDamagedAreAsGoodAsNone) {
  keep_plan(key_of({}), report());
  for (const auto& item : fs::recursive_directory_iterator(folder.path())) {
    if (!item.is_regular_file()) continue;
    const std::string text = read_text(item.path());
    write_text(item.path(), text.substr(0, text.size() / 2));
  }
  EXPECT_FALSE(find_kept_plan(key_of({})));
  setenv("XDG_CACHE_HOME", "/dev/null", 1);
  EXPECT_NO_THROW(keep_plan(key_of({}), report()));
  EXPECT_FALSE(find_kept_plan(key_of({})));
}

}  // namespace
}  // namespace mlaan::testing

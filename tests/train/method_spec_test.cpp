#include "support/errors.h"
#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/local/method.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/train/config.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/options.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

void expect_refused(const std::string& text, const std::vector<std::string>& parts) {
  expect_user_error([&] { MethodSpec::parse(text); }, parts);
}

TEST(MethodSpec, IsANameWithOrWithoutSettings) {
  const MethodSpec bare = MethodSpec::parse(" dgl ");
  EXPECT_EQ(bare.text, "dgl");
  EXPECT_EQ(bare.method, "dgl");
  EXPECT_TRUE(bare.settings.empty());
  const MethodSpec spec = MethodSpec::parse("mlm:mlm.window = 3:modules=8:engine.recompute=unit");
  EXPECT_EQ(spec.method, "mlm");
  const std::vector<std::pair<std::string, std::string>> expected{
      {"mlm.window", "3"}, {"modules", "8"}, {"engine.recompute", "unit"}};
  EXPECT_EQ(spec.settings, expected);
}

TEST(MethodSpec, ListsAreSeparatedByCommasOutsideBracketsAndQuotes) {
  const std::vector<std::string> expected{"e2e", "lam:lam.rows=[\"a,b:c\", 'd]']:modules=2", "dgl"};
  EXPECT_EQ(split_method_specs("e2e, lam:lam.rows=[\"a,b:c\", 'd]']:modules=2,,dgl"), expected);
  EXPECT_TRUE(split_method_specs("").empty());
  expect_user_error([] { split_method_specs("lam:lam.rows=[a,dgl"); }, {"bracket", "lam.rows=[a"});
  expect_user_error([] { split_method_specs("lam:lam.rows=\"a,dgl"); }, {"quote"});
}

TEST(MethodSpec, SettingsAreAppliedToACopy) {
  Config config;
  config.apply("batch_size", "24", "--batch-size");
  config.apply("mlm.window", "4", "--window");
  config.apply("lam.rows", "[\"x y\", \"z\"]", "--set");
  const Settings own =
      MethodSpec::parse("mlaan:mlm.window=3:lam.rows=[\"layer1.0 layer2.0\", \"layer3.0\"]")
          .applied_to(config);
  EXPECT_EQ(own.get<MlmOptions>().window, 3);
  EXPECT_EQ(own.options().field("lam.rows").value(),
            OptionValue(TextList{"layer1.0 layer2.0", "layer3.0"}));
  EXPECT_EQ(own.get<RunOptions>().batch_size, 24);
  EXPECT_EQ(config.get<MlmOptions>().window, 4);
  const Settings same = MethodSpec::parse("mlm").applied_to(config);
  for (const auto& field : config.options().fields()) {
    EXPECT_EQ(same.options().field(field.key).value(), field.value()) << field.key;
  }
}

TEST(MethodSpec, WhatMakesTheComparisonUnfairIsRefused) {
  for (const char* key : {"batch_size", "dataset", "data", "seed", "device", "model", "threads",
                          "workers", "train_limit", "lr", "augment.enabled", "validation.fraction",
                          "procedural.train_size", "method"}) {
    expect_refused("mlm:" + std::string(key) + "=1",
                   {key, "same for all", "accepted: modules, ", "engine.recompute", "mlm.window"});
  }
  expect_refused("e2e:mlm.window=3", {"mlm.window", "not used by e2e", "accepted: modules"});
}

TEST(MethodSpec, IsAlsoTheMethodOfARun) {
  Config config;
  config.apply("mlm.window", "4", "--set");
  config.apply("method", "mlm:mlm.window=3:modules=5", "--method");
  apply_method_settings(config);
  const Settings settings = config;
  EXPECT_EQ(settings.get<RunOptions>().method, "mlm");
  EXPECT_EQ(settings.get<RunOptions>().modules, 5);
  EXPECT_EQ(settings.get<MlmOptions>().window, 3);
  EXPECT_EQ(settings.origin("mlm.window"), "--method mlm:mlm.window=3:modules=5");

  Config plain;
  plain.apply("method", "dgl", "--method");
  apply_method_settings(plain);
  EXPECT_EQ(Settings(plain).origin("method"), "--method");
  Config wrong;
  wrong.apply("method", "mlm:mlm.windw=3", "--method");
  expect_user_error([&] { apply_method_settings(wrong); }, {"'mlm.windw'", "'mlm.window'"});
}

TEST(MethodSpec, APathWithColonsIsNone) {
  const TemporaryFolder folder;
  const auto path = folder / "a:b.toml";
  write_bytes(path, "[method]\n");
  Config config;
  config.apply("method", path.string(), "--method");
  apply_method_settings(config);
  EXPECT_EQ(config.get<RunOptions>().method, path.string());
}

TEST(MethodSpec, MistakesAreNamed) {
  expect_refused("", {"unknown method ''"});
  expect_refused("mln:modules=3", {"unknown method 'mln'", "'mlm'"});
  expect_refused("mlm:mlm.windw=3", {"mlm:mlm.windw=3", "'mlm.windw'", "'mlm.window'"});
  expect_refused("mlm:mlm.window", {"'mlm.window' is not an assignment", "NAME:key=value"});
  expect_refused("mlm:", {"not an assignment"});
  expect_refused("mlm:=3", {"not an assignment"});
  expect_refused("mlm:modules=3:modules=4", {"modules is given twice"});
  Config config;
  expect_user_error([&] { MethodSpec::parse("mlm:mlm.window=0").applied_to(config); },
                    {"mlm:mlm.window=0", "from 1 to"});
}

}  // namespace
}  // namespace mlaan::testing

#include "support/errors.h"
#include "support/folders.h"
#include "support/temporary_folder.h"

#include <mlaan/data/dataset.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/mlm.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/config.h>
#include <mlaan/train/learning_rate.h>
#include <mlaan/train/options.h>
#include <mlaan/train/plateau.h>
#include <mlaan/train/setup.h>

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

namespace mlaan::testing {
namespace {

TEST(Config, LaterValuesWinAndTheirOriginIsKept) {
  Config config;
  config.apply_text("lr = 0.5\nepochs = 3\n[mlm]\nwindow = 4\n", "run.toml");
  config.apply("lr", "0.25", "--lr");
  EXPECT_DOUBLE_EQ(config.get<RunOptions>().lr, 0.25);
  EXPECT_EQ(config.get<RunOptions>().epochs, 3);
  EXPECT_EQ(config.get<MlmOptions>().window, 4);
  const Settings settings = config;
  EXPECT_EQ(settings.origin("lr"), "--lr");
  EXPECT_EQ(settings.origin("mlm.window"), "run.toml");
  EXPECT_EQ(settings.origin("seed"), "default");
}

TEST(Config, WhatIsWrittenIsReadBack) {
  Config config;
  config.apply_text("model = \"resnet32\"\nlr = 1\n[lam]\nrows = [\"a b\", \"c\"]\n", "x");
  const Settings copy = read_settings(Settings(config).to_toml(), "y");
  for (const auto& field : config.options().fields()) {
    EXPECT_EQ(copy.value(field.key), field.value()) << field.key;
  }
}

TEST(Config, PublishedSettingsNameWhatThereIs) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(test_folder() / ".." / "configs")) {
    if (entry.path().extension() != ".toml") continue;
    SCOPED_TRACE(entry.path().string());
    Config config;
    ASSERT_NO_THROW(config.apply_file(entry.path()));
    const auto& run = config.get<RunOptions>();
    EXPECT_NO_THROW(dataset_registry().at(run.dataset));
    EXPECT_NO_THROW(backbone_registry().at(run.model.substr(0, run.model.find(':'))));
    EXPECT_NO_THROW(method_named(run.method));
    ++files;
  }
  EXPECT_GT(files, 0);
}

TEST(Settings, AreAsTheyWereWhateverIsMadeOfThem) {
  Config config;
  config.apply("mlm.window", "4", "--window");
  const Settings settings = config;
  config.apply("mlm.window", "5", "--window");
  const Settings other = settings.with({{"mlm.window", "6"}, {"lr", "0.5"}}, "a test");
  EXPECT_EQ(settings.get<MlmOptions>().window, 4);
  EXPECT_EQ(settings.origin("mlm.window"), "--window");
  EXPECT_EQ(other.get<MlmOptions>().window, 6);
  EXPECT_DOUBLE_EQ(other.get<RunOptions>().lr, 0.5);
  EXPECT_EQ(other.origin("lr"), "a test");
  expect_user_error([&] { settings.with("mlm.window", "0", "a test"); },
                    {"a test: mlm.window", "0"});
  expect_user_error([&] { settings.with("mlm.windw", "1", "a test"); }, {"a test", "mlm.window"});
}

TEST(Settings, OfAnotherOriginHaveTheSameValues) {
  const Settings settings = Settings().with("mlm.window", "4", "--window");
  const Settings copy = settings.coming_from("a copy");
  for (const auto& field : settings.options().fields()) {
    EXPECT_EQ(copy.value(field.key), field.value()) << field.key;
    EXPECT_EQ(copy.origin(field.key), "a copy");
  }
}

TEST(Config, TheSchemaIsAFileOfAllDefaults) {
  const std::string schema = Config::schema();
  std::string uncommented;
  std::istringstream lines(schema);
  for (std::string line; std::getline(lines, line);) {
    const bool is_value = line.compare(0, 2, "# ") == 0 && line.find(" = ") != std::string::npos;
    uncommented += (is_value ? line.substr(2) : line) + "\n";
  }
  Config config;
  EXPECT_NO_THROW(config.apply_text(uncommented, "schema"));
  for (const auto& field : config.options().fields()) {
    EXPECT_NE(Settings(config).origin(field.key), "default")
        << field.key << " is not in the schema";
    EXPECT_EQ(field.value(), field.initial) << field.key;
  }
}

TEST(Config, ErrorsNameFileLineAndColumn) {
  const auto refuse = [](const std::string& text, const std::vector<std::string>& parts) {
    expect_user_error([&] { Config().apply_text(text, "run.toml"); }, parts);
  };
  refuse("lr = 0.1\nepocs = 3\n", {"run.toml:2", "epocs", "epochs"});
  refuse("[mlm]\nwindow = 0\n", {"run.toml:2", "mlm.window", "from 1 to 1000000000"});
  refuse("lr = \"fast\"\n", {"run.toml:1", "lr", "number"});
  refuse("lr = = 3\n", {"run.toml:1"});
  refuse("[mlm]\ncascaded_weight = -0.5\n", {"run.toml:2", "cascaded_weight", "at least 0"});
  refuse("seed = 1.5\n", {"seed", "integer"});
}

TEST(Config, DeeplyNestedTablesAreRefusedByLine) {
  const auto refuse = [](const std::string& text, const std::string& place) {
    expect_user_error([&] { Config().apply_text(text, "run.toml"); }, {place, "nested too deeply"});
  };
  constexpr int depth = 40000;
  std::string key = "a";
  for (int i = 0; i < depth; ++i) key += ".a";
  refuse("lr = 0.1\n" + key + " = 1\n", "run.toml:2");
  refuse("\n\n[" + key + "]\n", "run.toml:3");
  refuse("x = {" + key + " = 1}\n", "run.toml:1");
  refuse("x = " + std::string(depth, '[') + std::string(depth, ']') + "\n", "run.toml:1");
  std::string spaced = "\"a\"";
  for (int i = 0; i < depth; ++i) spaced += " . 'a'";
  refuse("text = \"\"\"\n\"\"\"\n" + spaced + " = 1\n", "run.toml:3");
  // What only looks so: dots in texts, in comments and in many numbers.
  const std::string dots(100, '.');
  std::string rates = "0.5";
  for (int i = 0; i < 100; ++i) rates += ", 0.5";
  expect_user_error(
      [&] {
        Config().apply_text("data = \"" + dots + "\" # " + dots + "\ndata_more = [" + rates + "]\n",
                            "run.toml");
      },
      {"run.toml:2", "data_more"});
}

TEST(Config, NumbersThatCannotBeCountedWithAreRefused) {
  for (const char* assignment :
       {"epochs=9000000000000000000", "batch_size=2000000000", "augment.padding=100000",
        "augment.brightness=1e300", "procedural.train_size=9000000000000000000"}) {
    Config config;
    const std::string text = assignment;
    expect_user_error([&] { config.apply_assignment(text); }, {text.substr(0, text.find('='))});
  }
}

TEST(Config, AssignmentsNeedAKey) {
  Config config;
  config.apply_assignment("mlm.window = 3");
  EXPECT_EQ(config.get<MlmOptions>().window, 3);
  expect_user_error([&] { config.apply_assignment("window"); }, {"--set", "key=value"});
  expect_user_error([&] { config.apply_assignment("window=3"); }, {"window", "mlm.window"});
}

TEST(Config, EveryMethodsOptionsAreInIt) {
  Config config;
  for (const auto& method : method_registry().entries()) {
    OptionSet options;
    method.declare(options);
    for (const auto& key : options.keys()) EXPECT_NO_THROW(config.options().field(key)) << key;
  }
}

TEST(Config, PeriodsAreChecked) {
  expect_user_error([] { Config().apply("save.every", "10", "--set"); }, {"save.every", "200i"});
}

ScheduleOptions schedule(const std::string& type, double warmup) {
  ScheduleOptions options;
  options.type = type;
  options.warmup_epochs = warmup;
  return options;
}

TEST(LearningRate, CosineFallsFromTheBaseRateTowardsZero) {
  const auto options = schedule("cosine", 0);
  const auto rate = [&](std::int64_t step) { return learning_rate({step, 10, 10}, 0.8, options); };
  EXPECT_DOUBLE_EQ(rate(0), 0.8);
  EXPECT_NEAR(rate(50), 0.4, 1e-12);
  EXPECT_GT(rate(99), 0);
  EXPECT_LT(rate(99), 0.001);
}

TEST(LearningRate, ByEpochIsThePublishedSchedule) {
  // Epoch e of E = 160, base 0.8: c(e) = 0.4·(1 + cos(π·e/160)), for e ≤ 10 mixed with 0.01.
  const auto options = schedule("epoch", -1);
  const auto rate = [&](std::int64_t epoch) {
    return learning_rate({(epoch - 1) * 7 + 3, 7, 160}, 0.8, options);
  };
  const auto cosine = [](double epoch) {
    return 0.4 * (1 + std::cos(3.141592653589793 * epoch / 160));
  };
  EXPECT_NEAR(rate(1), 0.01, 1e-12);
  EXPECT_NEAR(rate(6), cosine(6) * 5 / 10 + 0.01 * 5 / 10, 1e-12);
  EXPECT_NEAR(rate(11), cosine(11), 1e-12);
  EXPECT_NEAR(rate(80), 0.4, 1e-12);
  EXPECT_NEAR(rate(160), 0, 1e-12);
}

TEST(LearningRate, WarmUpGrowsStepByStep) {
  const auto options = schedule("cosine", 2);
  double before = 0;
  for (std::int64_t step = 0; step < 20; ++step) {
    const double rate = learning_rate({step, 10, 100}, 0.8, options);
    EXPECT_GT(rate, before);
    before = rate;
  }
  EXPECT_NEAR(learning_rate({0, 10, 100}, 0.8, options), 0.01, 1e-12);
  EXPECT_NEAR(learning_rate({0, 10, 100}, 0.001, options), 0.001, 1e-12) << "never above lr";
}

TEST(LearningRate, ConstantIsConstant) {
  const auto options = schedule("constant", 0);
  EXPECT_DOUBLE_EQ(learning_rate({0, 5, 4}, 0.3, options), 0.3);
  EXPECT_DOUBLE_EQ(learning_rate({19, 5, 4}, 0.3, options), 0.3);
}

TEST(LearningRate, DoesNotFallBelowItsMinimum) {
  auto options = schedule("cosine", 0);
  options.min_lr = 0.2;
  const auto rate = [&](std::int64_t step, double lr) {
    return learning_rate({step, 10, 10}, lr, options);
  };
  EXPECT_DOUBLE_EQ(rate(0, 0.8), 0.8);
  EXPECT_NEAR(rate(50, 0.8), 0.5, 1e-12);
  EXPECT_NEAR(rate(100, 0.8), 0.2, 1e-12);
  EXPECT_DOUBLE_EQ(rate(50, 0.1), 0.1) << "never above lr";
  options.type = "epoch";
  EXPECT_NEAR(rate(99, 0.8), 0.2, 1e-12);
}

TEST(LearningRate, OneCycleIsPyTorchs) {
  // torch.optim.lr_scheduler.OneCycleLR(max_lr=0.8, total_steps=20): its rates step by step, by its
  // own formula: up to 0.8 in step 0.3·20 − 1 = 5, then down to the last.
  const auto options = schedule("onecycle", 3);
  const double first = 0.8 / 25;
  const double last = first / 1e4;
  const auto between = [](double from, double to, double share) {
    return to + (from - to) / 2 * (1 + std::cos(3.141592653589793 * share));
  };
  const auto rate = [&](std::int64_t step) { return learning_rate({step, 5, 4}, 0.8, options); };
  EXPECT_DOUBLE_EQ(rate(0), 0.032);
  EXPECT_NEAR(rate(1), between(first, 0.8, 1.0 / 5), 1e-12);
  EXPECT_NEAR(rate(1), 0.10533747, 1e-8);
  EXPECT_NEAR(rate(5), 0.8, 1e-12);
  EXPECT_NEAR(rate(12), between(0.8, last, 0.5), 1e-12);
  EXPECT_NEAR(rate(12), 0.4000016, 1e-9);
  EXPECT_NEAR(rate(19), 3.2e-6, 1e-12);
  auto other = options;
  other.peak = 0.05;  // the first step is the highest
  EXPECT_NEAR(learning_rate({0, 5, 4}, 0.8, other), 0.8, 1e-12);
  other.peak = 0;
  EXPECT_NEAR(learning_rate({19, 5, 4}, 0.8, other), 3.2e-6, 1e-12);
  other.peak = 1;
  EXPECT_NEAR(learning_rate({19, 5, 4}, 0.8, other), 0.8, 1e-12);
  EXPECT_TRUE(std::isfinite(learning_rate({0, 1, 1}, 0.8, options))) << "one step in all";
}

TEST(LearningRate, FallsWithEachPlateauToItsMinimum) {
  auto options = schedule("plateau", 2);
  options.factor = 0.5;
  options.min_lr = 0.15;
  const auto rate = [&](std::int64_t step, std::int64_t plateaus) {
    return learning_rate({step, 10, 100, plateaus}, 0.8, options);
  };
  EXPECT_DOUBLE_EQ(rate(500, 0), 0.8);
  EXPECT_DOUBLE_EQ(rate(500, 1), 0.4);
  EXPECT_DOUBLE_EQ(rate(500, 2), 0.2);
  EXPECT_DOUBLE_EQ(rate(500, 3), 0.15);
  EXPECT_DOUBLE_EQ(rate(500, 9000), 0.15);
  EXPECT_NEAR(rate(10, 0), (0.8 + 0.01) / 2, 1e-12) << "half of the warm-up";
}

TEST(Plateau, IsAsManyBadEpochsAsPyTorchSays) {
  // torch.optim.lr_scheduler.ReduceLROnPlateau(factor=0.5, patience=1, threshold=0.1, cooldown=2):
  // what it has counted after each of these values.
  ScheduleOptions options;
  options.patience_epochs = 1;
  options.threshold = 0.1;
  options.cooldown_epochs = 2;
  struct Epoch {
    double value;
    double lowest;
    std::int64_t bad_epochs;
    std::int64_t cooldown;
    std::int64_t count;
  };
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Epoch> epochs{{1.0, 1.0, 0, 0, 0}, {0.95, 1.0, 1, 0, 0},  // not a tenth lower
                                  {0.8, 0.8, 0, 0, 0}, {0.8, 0.8, 1, 0, 0},  {0.9, 0.8, 0, 2, 1},
                                  {0.9, 0.8, 0, 1, 1}, {0.5, 0.5, 0, 0, 1},  {none, 0.5, 1, 0, 1},
                                  {0.5, 0.5, 0, 2, 2}};
  Plateau plateau;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    plateau = after_epoch(plateau, epochs[i].value, options);
    EXPECT_DOUBLE_EQ(plateau.lowest, epochs[i].lowest) << "epoch " << i;
    EXPECT_EQ(plateau.bad_epochs, epochs[i].bad_epochs) << "epoch " << i;
    EXPECT_EQ(plateau.cooldown, epochs[i].cooldown) << "epoch " << i;
    EXPECT_EQ(plateau.count, epochs[i].count) << "epoch " << i;
  }
  EXPECT_EQ(after_epoch({}, none, options).lowest, -1) << "no first value yet";
}

TEST(LearningRate, FallsAtEachMilestone) {
  ScheduleOptions options;
  options.type = "steps";
  options.warmup_epochs = 0;
  const auto rate = [&](std::int64_t step) { return learning_rate({step, 10, 10}, 0.8, options); };
  EXPECT_DOUBLE_EQ(rate(0), 0.8);
  EXPECT_DOUBLE_EQ(rate(49), 0.8);
  EXPECT_DOUBLE_EQ(rate(50), 0.2);
  EXPECT_DOUBLE_EQ(rate(75), 0.05);
  EXPECT_DOUBLE_EQ(rate(99), 0.8 / 256);
  expect_user_error([] { parse_milestones("0.5,half"); }, {"'half'"});
  expect_user_error([] { parse_milestones("0.5,1.2"); }, {"'1.2'"});
  EXPECT_TRUE(parse_milestones("").empty());
}

}  // namespace
}  // namespace mlaan::testing

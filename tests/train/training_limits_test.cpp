// What ends a training or a pass through the data early, and what lowers its rate.
#include "support/closeness.h"
#include "support/errors.h"
#include "support/small_run.h"
#include "train/run_images.h"

#include <mlaan/log/metrics_files.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace mlaan::testing {
namespace {

TEST_F(TrainerTest, ALimitOnStepsEndsTheTrainingAndTheScheduleWithIt) {
  // 7 of 10 steps: within the second epoch.
  const Settings config = small_run({"limit.steps=7", "schedule.warmup_epochs=0"});
  Trainer trainer(config, make_data(config), folder / "limited");
  MetricsFiles files(folder / "limited");
  trainer.add_observer(files);
  const Outcome limited = finish(trainer);
  EXPECT_TRUE(limited.summary.complete);
  EXPECT_EQ(limited.summary.ended_by, "limit.steps = 7");
  EXPECT_EQ(limited.summary.run.steps_done, 7);
  EXPECT_EQ(limited.summary.reported_epoch, 2);
  EXPECT_EQ(limited.summary.run.epochs_done, 1);
  EXPECT_FALSE(std::isnan(limited.summary.test_error));
  EXPECT_FALSE(std::isnan(limited.summary.validation_error));
  const std::vector<std::string> steps = lines_of(folder / "limited/steps.jsonl");
  ASSERT_EQ(steps.size(), 7U);
  // The last step's rate is that of 6/7 of a cosine.
  const double rate = 0.05 * (1 + std::cos(6 * M_PI / 7));
  const std::string key = "\"learning_rate\":";
  EXPECT_NEAR(std::stod(steps[6].substr(steps[6].find(key) + key.size())), rate, 1e-9);
  EXPECT_EQ(lines_of(folder / "limited/metrics.csv").size(), 3U) << "both epochs are reported";

  // It is over: going on trains nothing and finds the same.
  const Settings again = small_run({"limit.steps=7", "schedule.warmup_epochs=0"});
  Trainer over(again, make_data(again), folder / "limited");
  over.resume(read_checkpoint(last_checkpoint(folder / "limited")));
  const Outcome resumed = finish(over);
  expect_same_network(resumed, limited);
  EXPECT_EQ(resumed.summary.run.steps_done, 7);
  EXPECT_DOUBLE_EQ(resumed.summary.test_error, limited.summary.test_error);
  EXPECT_DOUBLE_EQ(resumed.summary.validation_error, limited.summary.validation_error);
}

TEST_F(TrainerTest, ALimitBehindTheLastStepChangesNothing) {
  const Outcome whole = train("whole");
  const Outcome limited =
      train("limited", {"limit.steps=10", "limit.time=10h", "early_stopping.patience=2"});
  expect_same_network(limited, whole);
  EXPECT_EQ(limited.summary.ended_by, "");
  EXPECT_DOUBLE_EQ(limited.summary.test_error, whole.summary.test_error);
}

TEST_F(TrainerTest, ALimitOnTimeEndsTheTrainingAndMoreTimeGoesOnWithIt) {
  const Outcome whole = train("whole");
  const Outcome first = train("timed", {"limit.time=0.000000001s"});
  EXPECT_TRUE(first.summary.complete);
  EXPECT_EQ(first.summary.ended_by, "limit.time = 0.000000001s");
  EXPECT_EQ(first.summary.run.steps_done, 0) << "no time for a step";
  std::int64_t steps = 0;
  while (steps < 10) {
    const Settings config = small_run({"limit.time=0.02s"});
    Trainer trainer(config, make_data(config), folder / "timed");
    if (std::filesystem::exists(last_checkpoint(folder / "timed"))) {
      trainer.resume(read_checkpoint(last_checkpoint(folder / "timed")));
    }
    const Outcome outcome = finish(trainer);
    steps = outcome.summary.run.steps_done;
    EXPECT_EQ(outcome.summary.ended_by.empty(), steps == 10);
    if (steps == 10) expect_same_network(outcome, whole);
  }
}

TEST_F(TrainerTest, StopsEarlyWhereTheValidationErrorFallsNoMore) {
  // Nothing is learned at such a rate, so the first epoch's error is the lowest.
  const std::vector<std::string> settings{"epochs=9", "lr=1e-12", "schedule.type=constant",
                                          "early_stopping.patience=2", "save.every=100e"};
  const Outcome outcome = train("early", settings);
  EXPECT_EQ(outcome.summary.ended_by, "early_stopping.patience = 2");
  EXPECT_TRUE(outcome.summary.complete);
  const auto state = read_checkpoint(last_checkpoint(folder / "early")).info.state;
  EXPECT_EQ(state.epoch, outcome.summary.run.epochs_done);
  EXPECT_EQ(state.epoch - state.improved_epoch, 2);
  EXPECT_LT(state.epoch, 9);
  auto hard_to_please = settings;
  hard_to_please.emplace_back("early_stopping.min_delta=100");
  EXPECT_EQ(train("hard", hard_to_please).summary.run.epochs_done, 3);
  expect_user_error(
      [&] {
        train("none", {"validation.fraction=0", "early_stopping.patience=1"});
      },
      {"early_stopping.patience", "validation.fraction"});
}

TEST_F(TrainerTest, EpochsMayBeOfFewBatches) {
  const std::vector<std::string> settings{"limit.train_batches=2", "epochs=3"};
  const Outcome outcome = train("few", settings);
  EXPECT_EQ(outcome.summary.run.steps_done, 6);
  EXPECT_EQ(outcome.summary.run.epochs_done, 3);
  EXPECT_EQ(outcome.summary.ended_by, "");
  // The same when it is stopped in the middle of an epoch, and with workers that run ahead.
  for (const int question : {1, 5}) {
    auto with_workers = settings;
    with_workers.emplace_back("workers=2");
    const auto run_folder = folder / ("few-" + std::to_string(question));
    for (const bool resume : {false, true}) {
      const Settings config = small_run(with_workers);
      Trainer trainer(config, make_data(config), run_folder);
      if (resume) trainer.resume(read_checkpoint(last_checkpoint(run_folder)));
      const Outcome part =
          finish(trainer, resume ? std::function<bool()>{} : at_question(question));
      if (resume) expect_same_network(part, outcome);
    }
  }
  EXPECT_EQ(train("many", {"limit.train_batches=99"}).summary.run.steps_done, 10);
}

TEST_F(TrainerTest, LooksAtAsManyBatchesAsItIsAllowed) {
  const Settings config = small_run({"limit.validation_batches=1", "limit.test_batches=2"});
  Trainer trainer(config, make_data(config), folder / "limited");
  EXPECT_EQ(trainer.report().validation_images, 8);
  EXPECT_EQ(trainer.report().test_images, 16);
  EXPECT_TRUE(finish(trainer).summary.complete);
  const auto images = test_images_of_run(config, make_data(config));
  EXPECT_EQ(images.front(), 0);
  EXPECT_EQ(images.back(), 18) << "spread over all twenty";
  EXPECT_EQ(std::set<std::int64_t>(images.begin(), images.end()).size(), 16U);
}

TEST_F(TrainerTest, OverfitsTheBatchesThatItIsGiven) {
  const std::vector<std::string> settings{"limit.overfit_batches=2", "epochs=30",
                                          "augment.enabled=false", "method=e2e"};
  const Settings config = small_run(settings);
  const Split split = split_of_run(config, make_data(config));
  EXPECT_EQ(split.train.size(), 16U);
  EXPECT_EQ(split.validation, split.train);
  const Outcome outcome = train("overfit", settings);
  EXPECT_LT(outcome.summary.validation_error, 10) << "learned by heart";
  expect_user_error([&] { train("many", {"limit.overfit_batches=6"}); },
                    {"limit.overfit_batches = 6", "48", "40"});
}

TEST_F(TrainerTest, PlateausLowerTheRateAndAreRemembered) {
  // A value must be 0 to be lower by all of the lowest: each epoch but the first is bad.
  const std::vector<std::string> settings{"epochs=5",
                                          "lr=0.1",
                                          "method=e2e",
                                          "schedule.type=plateau",
                                          "schedule.threshold=1",
                                          "schedule.patience_epochs=1",
                                          "schedule.factor=0.5",
                                          "schedule.warmup_epochs=0"};
  const Outcome whole = train_logged("whole", settings, false);
  const std::vector<double> expected{0.1, 0.1, 0.1, 0.05, 0.05};
  EXPECT_EQ(rates_of_epochs(folder / "whole"), expected);
  // In the middle of an epoch and of a validation, before and after the rate fell.
  for (const int question : {9, 13, 17, 20, 24, 29}) {
    const std::string name = std::to_string(question);
    EXPECT_FALSE(train_logged(name, settings, false, at_question(question)).summary.complete);
    expect_same_network(train_logged(name, settings, true), whole);
    EXPECT_EQ(rates_of_epochs(folder / name), expected);
  }
  expect_user_error(
      [&] {
        train("none", {"schedule.type=plateau", "validation.fraction=0"});
      },
      {"plateau", "validation.fraction"});
}

}  // namespace
}  // namespace mlaan::testing

#include "support/closeness.h"
#include "support/configured.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "train/resumed_settings.h"
#include "train/run_images.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/local/supervision_names.h>
#include <mlaan/log/metrics_files.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

namespace mlaan::testing {
namespace {

class TrainerTest : public ::testing::Test {
 protected:
  /// A run of 2 epochs of 5 steps.
  static Settings small_run(const std::vector<std::string>& more = {}) {
    return configured({"model=resnet8", "epochs=2", "batch_size=8", "procedural.train_size=50",
                       "procedural.test_size=20", "validation.fraction=0.2", "log.steps=1",
                       "engine.memory_format=channels_last"},
                      more);
  }

  struct Outcome {
    TrainSummary summary;
    std::vector<NamedTensor> tensors;
  };

  static Outcome finish(Trainer& trainer, const std::function<bool()>& should_stop = {}) {
    Outcome outcome;
    outcome.summary = trainer.run(should_stop);
    for (const auto& named : trainer.engine().named_parameters()) {
      outcome.tensors.push_back({named.name, named.tensor.detach().clone()});
    }
    for (const auto& named : trainer.engine().named_buffers()) {
      outcome.tensors.push_back({named.name, named.tensor.clone()});
    }
    return outcome;
  }

  Outcome train(const std::string& name, const std::vector<std::string>& more = {}) const {
    const Settings config = small_run(more);
    Trainer trainer(config, make_data(config), folder / name);
    return finish(trainer);
  }

  static void expect_same_network(const Outcome& actual, const Outcome& expected) {
    ASSERT_EQ(actual.tensors.size(), expected.tensors.size());
    for (std::size_t i = 0; i < actual.tensors.size(); ++i) {
      expect_same(actual.tensors[i].tensor, expected.tensors[i].tensor, actual.tensors[i].name);
    }
  }

  TemporaryFolder folder;
};

/// Stops when it was asked so often: once a step, and once a batch to validate or to test on. Of a
/// small run, 1 to 5 and 8 to 12 are steps, 6, 7, 13 and 14 validate, and 15 to 17 test.
std::function<bool()> at_question(int number) {
  return [count = std::make_shared<int>(0), number] { return ++*count >= number; };
}

TEST_F(TrainerTest, OneSeedGivesOneNetwork) {
  for (const char* method : {"e2e", "mlaan"}) {
    const std::string setting = std::string("method=") + method;
    const Outcome first = train(std::string(method) + "1", {setting});
    expect_same_network(train(std::string(method) + "2", {setting, "workers=3"}), first);
    const Outcome other = train(std::string(method) + "3", {setting, "seed=1"});
    EXPECT_FALSE(torch::equal(other.tensors[0].tensor, first.tensors[0].tensor));
  }
}

TEST_F(TrainerTest, ARunThatIsStoppedGoesOnToTheSameNetwork) {
  const std::vector<std::vector<std::string>> runs{
      {"method=mlaan"},
      {"method=dgl"},
      {"method=checkpoint"},
      {"method=dgl", "engine.precision=bfloat16", "engine.check_precision=false"},
      {"method=dgl", "optimizer.type=adamw", "lr=0.001", "engine.fused_update=false"},
      {"method=mlm", "optimizer.type=adam", "lr=0.001"},
      {"method=mlaan", "optimizer.state=8bit", "optimizer.clip_grad=0.5", "drop_path=0.5",
       "engine.micro_batches=2"},
      {"method=e2e", "optimizer.type=lamb", "lr=0.01", "optimizer.clip_grad=0.5",
       "optimizer.layer_decay=0.7", "optimizer.decay_norms=false", "schedule.type=onecycle"},
      {"method=dgl", "optimizer.type=adamw", "lr=0.001", "optimizer.state=8bit"},
      {"method=predsim", "augment.mixup=0.8", "augment.cutmix=1", "augment.mix_probability=0.7",
       "augment.random_augment=2", "augment.erase=0.5", "augment.saturation=0.4",
       "augment.label_smoothing=0.1"}};
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const auto& settings = runs[run];
    const std::string name = std::to_string(run);
    const Outcome whole = train(name + "-whole", settings);
    const std::vector<std::pair<int, int>> questions_and_steps{{1, 1},  {5, 5},   {7, 5},
                                                               {10, 8}, {13, 10}, {16, 10}};
    for (const auto& [question, steps] : questions_and_steps) {
      const auto run_folder = folder / (name + "-" + std::to_string(question));
      {
        const Settings config = small_run(settings);
        Trainer trainer(config, make_data(config), run_folder);
        EXPECT_FALSE(finish(trainer, at_question(question)).summary.complete);
      }
      const Settings config = small_run(settings);
      Trainer trainer(config, make_data(config), run_folder);
      trainer.resume(read_checkpoint(last_checkpoint(run_folder)));
      EXPECT_EQ(trainer.report().steps_done, steps);
      const Outcome resumed = finish(trainer);
      expect_same_network(resumed, whole);
      EXPECT_DOUBLE_EQ(resumed.summary.test_error, whole.summary.test_error);
      EXPECT_DOUBLE_EQ(resumed.summary.validation_error, whole.summary.validation_error);
      EXPECT_NEAR(resumed.summary.train_error, whole.summary.train_error, 1e-9);
    }
  }
}

std::vector<std::string> lines_of(const std::filesystem::path& path);

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

/// The learning rate that each epoch of a run ended with, by its log.
std::vector<double> rates_of_epochs(const std::filesystem::path& run_folder) {
  std::vector<double> rates;
  for (const auto& line : lines_of(run_folder / "metrics.csv")) {
    std::istringstream fields(line);
    std::string epoch;
    std::string step;
    std::string rate;
    std::getline(fields, epoch, ',');
    std::getline(fields, step, ',');
    std::getline(fields, rate, ',');
    if (epoch != "epoch") rates.push_back(std::stod(rate));
  }
  return rates;
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
  const auto train_until = [&](const std::string& name, const std::function<bool()>& should_stop,
                               bool resume) {
    const Settings config = small_run(settings);
    Trainer trainer(config, make_data(config), folder / name);
    if (resume) trainer.resume(read_checkpoint(last_checkpoint(folder / name)));
    MetricsFiles files(folder / name);
    trainer.add_observer(files);
    return finish(trainer, should_stop);
  };
  const Outcome whole = train_until("whole", {}, false);
  const std::vector<double> expected{0.1, 0.1, 0.1, 0.05, 0.05};
  EXPECT_EQ(rates_of_epochs(folder / "whole"), expected);
  // In the middle of an epoch and of a validation, before and after the rate fell.
  for (const int question : {9, 13, 17, 20, 24, 29}) {
    const std::string name = std::to_string(question);
    EXPECT_FALSE(train_until(name, at_question(question), false).summary.complete);
    expect_same_network(train_until(name, {}, true), whole);
    EXPECT_EQ(rates_of_epochs(folder / name), expected);
  }
  expect_user_error(
      [&] {
        train("none", {"schedule.type=plateau", "validation.fraction=0"});
      },
      {"plateau", "validation.fraction"});
}

TEST_F(TrainerTest, FlipsAtTestTimeAreOfTheTestAlone) {
  const Outcome plain = train("plain", {"method=e2e"});
  const Settings config = small_run({"method=e2e", "validation.tta=flip"});
  const DataSource data = make_data(config);
  Trainer trainer(config, data, folder / "flip");
  const Outcome flipped = finish(trainer);
  expect_same_network(flipped, plain);
  EXPECT_DOUBLE_EQ(flipped.summary.validation_error, plain.summary.validation_error);
  const auto loader = make_plain_loader(config, data, data.test, all_indices(*data.test));
  loader->start(0);
  double loss = 0;
  std::int64_t images = 0;
  const torch::NoGradGuard no_grad;
  while (auto batch = loader->next()) {
    const auto logits = (trainer.engine().predict(batch->images) +
                         trainer.engine().predict(batch->images.flip(3))) /
                        2;
    const auto count = batch->labels.size(0);
    loss += static_cast<double>(count) *
            torch::nn::functional::cross_entropy(logits, batch->labels).item<double>();
    images += count;
  }
  EXPECT_NEAR(flipped.summary.test_loss, loss / static_cast<double>(images), 1e-6);
  EXPECT_NE(flipped.summary.test_loss, plain.summary.test_loss);
}

TEST_F(TrainerTest, WhatDivergesDoesNotTakeThePlaceOfTheLastCheckpoint) {
  train("run", {"epochs=1"});
  const auto last = last_checkpoint(folder / "run");
  const std::string good = read_text(last);
  for (const char* every : {"save.every=1i", "save.every=1e"}) {
    const Settings config = small_run({"lr=1e30", "schedule.type=constant", "epochs=3", every});
    Trainer trainer(config, make_data(config), folder / "run");
    trainer.resume(read_checkpoint(last));
    try {
      trainer.run();
      FAIL() << "it did not diverge";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("diverged"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("is unchanged"), std::string::npos) << error.what();
    }
    EXPECT_EQ(read_text(last), good) << every;
  }
  // Also where it is stopped right behind the step.
  const Settings config =
      small_run({"lr=1e30", "schedule.type=constant", "epochs=3", "log.steps=100"});
  Trainer trainer(config, make_data(config), folder / "run");
  trainer.resume(read_checkpoint(last));
  EXPECT_THROW(trainer.run(at_question(1)), Error);
  EXPECT_EQ(read_text(last), good);
}

TEST_F(TrainerTest, TheRateFollowsEpochsWhateverTheBatch) {
  const auto rates = [&](const std::string& name) { return rates_of_epochs(folder / name); };
  const auto run = [&](const std::string& name, const std::vector<std::string>& settings,
                       bool resume) {
    const Settings config = small_run(settings);
    Trainer trainer(config, make_data(config), folder / name);
    if (resume) trainer.resume(read_checkpoint(last_checkpoint(folder / name)));
    MetricsFiles files(folder / name);
    trainer.add_observer(files);
    trainer.run();
  };
  run("two", {"epochs=2"}, false);
  run("two", {"epochs=4", "batch_size=20"}, true);
  run("one", {"epochs=4", "batch_size=20"}, false);
  ASSERT_EQ(rates("two").size(), 4U);
  EXPECT_EQ(rates("two")[2], rates("one")[2]);
  EXPECT_EQ(rates("two")[3], rates("one")[3]);
}

TEST_F(TrainerTest, WithinAnEpochTheBatchesStayTheSame) {
  const Settings config = small_run();
  Trainer trainer(config, make_data(config), folder / "run");
  trainer.run(at_question(2));
  const Checkpoint checkpoint = read_checkpoint(last_checkpoint(folder / "run"));
  for (const char* setting : {"batch_size=4", "train_limit=24", "seed=3"}) {
    const Settings other = small_run({setting});
    Trainer second(other, make_data(other), folder / "run");
    expect_user_error([&] { second.resume(checkpoint); }, {"in the middle of epoch 1"});
  }
}

TEST_F(TrainerTest, OtherClassesOrAnotherSplitAreRefused) {
  train("run");
  const Checkpoint checkpoint = read_checkpoint(last_checkpoint(folder / "run"));
  EXPECT_EQ(checkpoint.info.train_images, 50);
  const Settings config = small_run();
  DataSource data = make_data(config);
  EXPECT_NO_THROW(check_same_split(checkpoint, config, data));
  std::swap(data.classes[0], data.classes[1]);
  Trainer trainer(config, data, folder / "run");
  expect_user_error([&] { trainer.resume(checkpoint); }, {"other classes", data.classes[0]});
  for (const char* setting : {"seed=1", "validation.fraction=0.3", "procedural.train_size=51"}) {
    const Settings other = small_run({setting});
    expect_user_error([&] { check_same_split(checkpoint, other, make_data(other)); },
                      {"validated", "--allow-other-split"});
  }
}

TEST_F(TrainerTest, ClassesInAnotherOrderAreMatchedByName) {
  train("run");
  const Checkpoint checkpoint = read_checkpoint(last_checkpoint(folder / "run"));
  const Settings config = small_run();
  const DataSource data = make_data(config);
  DataSource other = data;
  std::rotate(other.classes.begin(), other.classes.begin() + 3, other.classes.end());
  const DataSource matched = with_classes_of(checkpoint, other);
  EXPECT_EQ(matched.classes, data.classes);
  for (std::int64_t i = 0; i < 20; ++i) {
    for (const Sample& sample : {matched.test->get(i), matched.test->get_framed(i, whole_frame)}) {
      const auto number = static_cast<std::size_t>(data.test->get(i).label);
      EXPECT_EQ(matched.classes[static_cast<std::size_t>(sample.label)], other.classes[number]);
    }
  }
  other.classes[0] = "zebra";
  expect_user_error([&] { with_classes_of(checkpoint, other); }, {"'zebra'", data.classes[3]});
  other.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
  EXPECT_EQ(with_classes_of(checkpoint, other).classes, data.classes) << "only their numbers known";
  EXPECT_EQ(with_classes_of(checkpoint, other).test, data.test);
  other.name = "svhn";
  expect_user_error([&] { with_classes_of(checkpoint, other); }, {"matched by name"});
}

TEST_F(TrainerTest, TheBestWeightsAreLookedForBeforeTraining) {
  train("run", {"validation.report=best", "save.keep=3", "epochs=3"});
  const auto checkpoints = folder / "run/checkpoints";
  const auto best = checkpoints / "best.safetensors";
  const std::string kept = read_text(best);
  const std::int64_t best_epoch = read_checkpoint(best).info.state.best_epoch;
  const auto resume = [&](const std::filesystem::path& path, const std::string& report) {
    const Settings config = small_run({report, "epochs=4"});
    Trainer trainer(config, make_data(config), folder / "run");
    trainer.resume(read_checkpoint(path));
  };
  std::filesystem::remove(best);
  const auto of_best_epoch =
      checkpoints / ("epoch-000" + std::to_string(best_epoch) + ".safetensors");
  resume(of_best_epoch, "validation.report=best");
  EXPECT_EQ(read_checkpoint(best).info.state.best_epoch, best_epoch) << "made of itself";

  std::filesystem::remove(best);
  if (best_epoch < 3) {
    expect_user_error([&] { resume(last_checkpoint(folder / "run"), "validation.report=best"); },
                      {"best.safetensors", "validation.report=last"});
    EXPECT_NO_THROW(resume(last_checkpoint(folder / "run"), "validation.report=last"));
  }
}

TEST_F(TrainerTest, CheckpointsWithinAnEpochAreWrittenWhenAskedFor) {
  const Outcome whole = train("whole");
  const Settings config = small_run({"save.every=2i"});
  const auto run_folder = folder / "often";
  std::vector<std::int64_t> saved;
  class Listener : public TrainObserver {
   public:
    explicit Listener(std::vector<std::int64_t>& saved) : saved_(saved) {}
    void on_checkpoint(const std::filesystem::path& path) override {
      if (path.filename() == "last.safetensors") {
        saved_.push_back(read_checkpoint(path).info.state.step);
      }
    }
    std::vector<std::int64_t>& saved_;
  } listener(saved);
  Trainer trainer(config, make_data(config), run_folder);
  trainer.add_observer(listener);
  expect_same_network(finish(trainer), whole);
  EXPECT_EQ(saved, (std::vector<std::int64_t>{2, 4, 5, 5, 6, 8, 10, 10}))
      << "epochs before they are validated and after";
}

TEST_F(TrainerTest, KeepsTheLastTheBestAndAsManyEpochsAsAsked) {
  train("kept", {"save.keep=1"});
  const auto checkpoints = folder / "kept/checkpoints";
  EXPECT_TRUE(std::filesystem::exists(checkpoints / "last.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(checkpoints / "best.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(checkpoints / "epoch-0001.safetensors"));
  EXPECT_TRUE(std::filesystem::exists(checkpoints / "epoch-0002.safetensors"));
}

TEST_F(TrainerTest, ReportsTheBestEpochWhenAskedTo) {
  const Outcome outcome = train("best", {"validation.report=best", "epochs=3"});
  const auto info = read_checkpoint(folder / "best/checkpoints/best.safetensors").info;
  EXPECT_EQ(outcome.summary.reported, "best");
  EXPECT_EQ(outcome.summary.reported_epoch, info.state.best_epoch);
  EXPECT_DOUBLE_EQ(outcome.summary.validation_error, info.state.best_validation_error);
}

TEST_F(TrainerTest, ACheckpointOfAnotherArchitectureIsRefusedAndChangesNothing) {
  train("first", {"method=dgl"});
  const Checkpoint checkpoint = read_checkpoint(last_checkpoint(folder / "first"));
  for (const auto& other :
       std::vector<std::vector<std::string>>{{"model=resnet14", "method=dgl"},
                                             {"method=mlaan"},
                                             {"method=e2e"},
                                             {"method=dgl", "dgl.feature_dim=64"},
                                             {"method=dgl", "modules=2"}}) {
    const Settings config = small_run(other);
    Trainer trainer(config, make_data(config), folder / "second");
    const auto before = trainer.engine().named_parameters()[0].tensor.detach().clone();
    expect_user_error([&] { trainer.resume(checkpoint); }, {"another architecture"});
    expect_same(trainer.engine().named_parameters()[0].tensor, before, "a weight");
  }
}

TEST_F(TrainerTest, StatesOfOtherTypesAreRefused) {
  const std::string good = TrainingState{}.to_json();
  EXPECT_EQ(TrainingState::from_json(good).best_epoch, 0);
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    return changed.replace(changed.find(from), from.size(), to);
  };
  for (const auto& changed :
       {with("\"step\":0", "\"step\":1.5"), with("\"step\":0", "\"step\":-1"),
        with("\"epoch\":0", "\"epoch\":\"0\""), with("\"epoch\":0", "\"epoch\":true"),
        with("\"seconds\":0.0", "\"seconds\":null"), with("\"batch\":0", "\"batch\":0,\"batch\":1"),
        with("\"step\":0", "\"stop\":0"), with("\"bad_epochs\":0", "\"bad_epochs\":0.5"),
        with("\"plateau\":{", "\"plateau\":1,\"other\":{")}) {
    EXPECT_THROW(TrainingState::from_json(changed), UserError) << changed;
  }
}

TEST_F(TrainerTest, AFileThatIsNoCheckpointIsRefused) {
  write_safetensors(folder / "weights.safetensors", {{}, {{"a", torch::ones({2})}}});
  expect_user_error([&] { read_checkpoint(folder / "weights.safetensors"); },
                    {"weights.safetensors", "not a checkpoint"});
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::istringstream text(read_text(path));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

TEST_F(TrainerTest, StepsNameTheLossOfEachSupervision) {
  const Settings config = small_run({"method=mlaan", "modules=3", "epochs=1"});
  Trainer trainer(config, make_data(config), folder / "named");
  MetricsFiles files(folder / "named");
  trainer.add_observer(files);
  trainer.run();
  const auto names = supervision_names(trainer.engine().plan());
  ASSERT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  const std::string line = lines_of(folder / "named/steps.jsonl").at(0);
  std::size_t position = line.find("\"losses\":{");
  for (const auto& name : names) {
    position = line.find("\"" + name + "\":", position);
    EXPECT_NE(position, std::string::npos) << name << " is not in order in " << line;
  }
  EXPECT_NE(line.find("\"cascaded 1..2\":"), std::string::npos) << line;
}

TEST(SupervisionNames, TellApartWhatHasOneNameAndWindow) {
  Plan plan{Partition({0, 1}), {}, {}, {}, {}};
  plan.supervisions = {{"local", 0, 0, nullptr, nullptr},
                       {"local", 0, 1, nullptr, nullptr},
                       {"local", 0, 0, nullptr, nullptr}};
  EXPECT_EQ(supervision_names(plan),
            (std::vector<std::string>{"local 1..1", "local 1..2", "local 1..1 #2"}));
}

TEST_F(TrainerTest, LogsHoldEveryEpochAndStepOnceAlsoAfterAKill) {
  const auto run_folder = folder / "logged";
  const auto train_until = [&](const std::function<bool()>& should_stop, bool resume) {
    const Settings config = small_run({"method=e2e"});
    Trainer trainer(config, make_data(config), run_folder);
    if (resume) trainer.resume(read_checkpoint(last_checkpoint(run_folder)));
    MetricsFiles files(run_folder);
    trainer.add_observer(files);
    finish(trainer, should_stop);
  };
  train_until(at_question(9), false);
  // As a kill in the middle of the second epoch leaves it: logs ahead of the checkpoint.
  const auto ahead = lines_of(run_folder / "steps.jsonl").size();
  EXPECT_EQ(ahead, 7U);
  {
    std::ofstream(run_folder / "steps.jsonl", std::ios::app) << R"({"step":8,"loss":1})"
                                                             << "\n"
                                                             << R"({"step":9,"lo)";
    std::ofstream(run_folder / "metrics.csv", std::ios::app) << "2,10,0.1,0,0,0,0,0,0,0\n";
  }
  train_until({}, true);
  EXPECT_EQ(lines_of(run_folder / "steps.jsonl").size(), 10U);
  const auto epochs = lines_of(run_folder / "metrics.csv");
  ASSERT_EQ(epochs.size(), 3U);
  EXPECT_EQ(epochs[0].substr(0, 11), "epoch,step,");
  EXPECT_EQ(epochs[1].substr(0, 4), "1,5,");
  EXPECT_EQ(epochs[2].substr(0, 5), "2,10,");
}

TEST_F(TrainerTest, AnEpochIsSavedBeforeItIsValidatedAndReportedOnce) {
  const auto run_folder = folder / "validated";
  const auto run = [&](const std::function<bool()>& should_stop) {
    const Settings config = small_run({"method=e2e"});
    Trainer trainer(config, make_data(config), run_folder);
    if (std::filesystem::exists(last_checkpoint(run_folder))) {
      trainer.resume(read_checkpoint(last_checkpoint(run_folder)));
    }
    MetricsFiles files(run_folder);
    trainer.add_observer(files);
    return finish(trainer, should_stop).summary;
  };
  EXPECT_FALSE(run(at_question(13)).complete);
  const auto state = read_checkpoint(last_checkpoint(run_folder)).info.state;
  EXPECT_EQ(state.step, 10) << "the last step is done and saved";
  EXPECT_EQ(state.epoch, 1) << "but its epoch is not validated";
  // As a kill leaves it between the report of the epoch and the checkpoint that follows.
  std::ofstream(run_folder / "metrics.csv", std::ios::app) << "2,10,0.1,0,0,0,0,0,0,0\n";
  EXPECT_TRUE(run({}).complete);
  const auto epochs = lines_of(run_folder / "metrics.csv");
  ASSERT_EQ(epochs.size(), 3U);
  EXPECT_EQ(epochs[2].substr(0, 5), "2,10,");
  const double rate = rates_of_epochs(run_folder).at(1);
  EXPECT_GT(rate, 0) << "that of the step before the stop";
  EXPECT_NE(rate, 0.1) << "not the line that the kill left";
}

TEST_F(TrainerTest, SavesWhenAskedAndGoesOn) {
  const Settings config = small_run({"save.every=2e", "method=e2e"});
  const auto run_folder = folder / "asked";
  std::vector<std::int64_t> saved;
  Trainer trainer(config, make_data(config), run_folder);
  int step = 0;
  const auto at_the_fourth_step = [&] { return ++step == 4; };
  const TrainSummary summary = trainer.run(
      [&] {
        if (step == 4) {
          saved.push_back(read_checkpoint(last_checkpoint(run_folder)).info.state.step);
        }
        return false;
      },
      at_the_fourth_step);
  EXPECT_TRUE(summary.complete);
  EXPECT_EQ(saved, std::vector<std::int64_t>{4});
}

TEST_F(TrainerTest, SummaryCountsWhatItSays) {
  const Outcome outcome = train("counted", {"method=mlaan"});
  const auto& summary = outcome.summary;
  EXPECT_TRUE(summary.complete);
  EXPECT_EQ(summary.run.train_images, 40);
  EXPECT_EQ(summary.run.validation_images, 10);
  EXPECT_EQ(summary.run.test_images, 20);
  EXPECT_EQ(summary.run.window, 2);
  EXPECT_EQ(summary.run.parameters, 78042);
  EXPECT_GE(summary.test_error, 0);
  EXPECT_LE(summary.test_error, 100);
  EXPECT_GT(summary.peak_bytes, 4 * summary.run.parameters);
}

TEST_F(TrainerTest, LabelSmoothingAndMixingAreOfTrainingAlone) {
  const auto losses_of = [](const Settings& config) {
    std::set<std::string> losses;
    const Backbone backbone = make_backbone(config, make_data(config));
    for (const auto& supervision : make_plan(config, backbone, "predsim").supervisions) {
      losses.insert(supervision.loss->name);
    }
    return losses;
  };
  const Settings config = small_run({"augment.label_smoothing=0.1", "augment.cutmix=1"});
  EXPECT_EQ(losses_of(config), (std::set<std::string>{"cross_entropy 0.1", "similarity_matching"}));
  const DataSource data = make_data(config);
  const auto plain = make_plain_loader(config, data, data.test, all_indices(*data.test));
  plain->start(0);
  EXPECT_EQ(plain->next()->labels.scalar_type(), torch::kInt64);
  const auto mixed = make_train_loader(config, data, all_indices(*data.train));
  mixed->start(0);
  EXPECT_EQ(mixed->next()->labels.scalar_type(), torch::kFloat32);

  const Settings off =
      small_run({"augment.label_smoothing=0.1", "augment.cutmix=1", "augment.enabled=false"});
  EXPECT_EQ(losses_of(off), (std::set<std::string>{"cross_entropy", "similarity_matching"}));
  const auto unmixed = make_train_loader(off, data, all_indices(*data.train));
  unmixed->start(0);
  EXPECT_EQ(unmixed->next()->labels.scalar_type(), torch::kInt64);
}

TEST_F(TrainerTest, SettingsThatCannotTrainAreRefused) {
  const auto refuse = [&](const std::vector<std::string>& more, const std::string& part) {
    const Settings config = small_run(more);
    expect_user_error([&] { Trainer(config, make_data(config), folder / "refused"); }, {part});
  };
  refuse({"validation.fraction=0", "validation.report=best"}, "validation.report");
  refuse({"device=cuda:77"}, "cuda:77");
  refuse({"device=abacus"}, "abacus");
  refuse({"dataset=cifar10"}, "--data");
  refuse({"method=infopro", "infopro.loss=contrast", "augment.mixup=0.2"},
         "supervised_contrastive");
}

}  // namespace
}  // namespace mlaan::testing

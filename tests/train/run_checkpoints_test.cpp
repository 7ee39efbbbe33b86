// The checkpoints of a run: when they are written, and which ones a run goes on with.
#include "support/closeness.h"
#include "support/errors.h"
#include "support/small_run.h"
#include "train/resumed_settings.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

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

TEST_F(TrainerTest, AnEpochIsSavedBeforeItIsValidatedAndReportedOnce) {
  const auto run_folder = folder / "validated";
  EXPECT_FALSE(train_logged("validated", {"method=e2e"}, false, at_question(13)).summary.complete);
  const auto state = read_checkpoint(last_checkpoint(run_folder)).info.state;
  EXPECT_EQ(state.step, 10) << "the last step is done and saved";
  EXPECT_EQ(state.epoch, 1) << "but its epoch is not validated";
  // As a kill leaves it between the report of the epoch and the checkpoint that follows.
  std::ofstream(run_folder / "metrics.csv", std::ios::app) << "2,10,0.1,0,0,0,0,0,0,0\n";
  EXPECT_TRUE(train_logged("validated", {"method=e2e"}, true).summary.complete);
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

}  // namespace
}  // namespace mlaan::testing

// The training of a run: what it computes and reports.
#include "support/closeness.h"
#include "support/errors.h"
#include "support/small_run.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <set>

namespace mlaan::testing {
namespace {

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

TEST_F(TrainerTest, TheRateFollowsEpochsWhateverTheBatch) {
  const auto rates = [&](const std::string& name) { return rates_of_epochs(folder / name); };
  train_logged("two", {"epochs=2"}, false);
  train_logged("two", {"epochs=4", "batch_size=20"}, true);
  train_logged("one", {"epochs=4", "batch_size=20"}, false);
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

TEST_F(TrainerTest, ReportsTheBestEpochWhenAskedTo) {
  const Outcome outcome = train("best", {"validation.report=best", "epochs=3"});
  const auto info = read_checkpoint(folder / "best/checkpoints/best.safetensors").info;
  EXPECT_EQ(outcome.summary.reported, "best");
  EXPECT_EQ(outcome.summary.reported_epoch, info.state.best_epoch);
  EXPECT_DOUBLE_EQ(outcome.summary.validation_error, info.state.best_validation_error);
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

// The files that a run writes beside its checkpoints: metrics, steps and its summary.
#include "support/closeness.h"
#include "support/errors.h"
#include "support/small_run.h"

#include <mlaan/local/supervision_names.h>
#include <mlaan/log/metrics_files.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <set>

namespace mlaan::testing {
namespace {

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
  train_logged("logged", {"method=e2e"}, false, at_question(9));
  // As a kill in the middle of the second epoch leaves it: logs ahead of the checkpoint.
  const auto ahead = lines_of(run_folder / "steps.jsonl").size();
  EXPECT_EQ(ahead, 7U);
  {
    std::ofstream(run_folder / "steps.jsonl", std::ios::app) << R"({"step":8,"loss":1})"
                                                             << "\n"
                                                             << R"({"step":9,"lo)";
    std::ofstream(run_folder / "metrics.csv", std::ios::app) << "2,10,0.1,0,0,0,0,0,0,0\n";
  }
  train_logged("logged", {"method=e2e"}, true);
  EXPECT_EQ(lines_of(run_folder / "steps.jsonl").size(), 10U);
  const auto epochs = lines_of(run_folder / "metrics.csv");
  ASSERT_EQ(epochs.size(), 3U);
  EXPECT_EQ(epochs[0].substr(0, 11), "epoch,step,");
  EXPECT_EQ(epochs[1].substr(0, 4), "1,5,");
  EXPECT_EQ(epochs[2].substr(0, 5), "2,10,");
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

}  // namespace
}  // namespace mlaan::testing

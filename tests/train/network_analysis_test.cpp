#include "support/configured.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/train/network_analysis.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

class NetworkAnalysisTest : public ::testing::Test {
 protected:
  static Settings settings(const std::vector<std::string>& more = {}) {
    return configured({"model=resnet8", "method=dgl", "batch_size=8", "procedural.train_size=50",
                       "procedural.test_size=20", "validation.fraction=0.2",
                       "engine.memory_format=channels_last"},
                      more);
  }

  /// As if it had been read from a file, but for the tensors.
  static Checkpoint described(const std::string& path) {
    Checkpoint checkpoint;
    checkpoint.path = path;
    checkpoint.info.model = "resnet8";
    checkpoint.info.classes = 10;
    checkpoint.info.image_shape = {3, 32, 32};
    return checkpoint;
  }

  static void silent(const std::string& /*line*/) {}
};

TEST_F(NetworkAnalysisTest, NetworksOfOtherKindsAreNotCompared) {
  const Settings config = settings();
  const DataSource data = make_data(config);
  const Checkpoint first = described("first");
  const auto refuse = [&](const std::function<void(Checkpoint&, Settings&)>& change,
                          const std::vector<std::string>& parts) {
    Checkpoint other = described("other");
    Settings other_config = settings();
    change(other, other_config);
    expect_user_error(
        [&] { analyse_similarity(first, config, other, other_config, data, {}, silent); }, parts);
  };
  refuse([](Checkpoint& other, Settings&) { other.info.model = "resnet14"; },
         {"first", "other", "backbone", "resnet8", "resnet14"});
  refuse([](Checkpoint&,
            Settings& settings) { settings = settings.with("dataset", "cifar10", "a test"); },
         {"data set", "procedural", "cifar10"});
  refuse([](Checkpoint& other, Settings&) { other.info.classes = 100; }, {"classes", "10", "100"});
  refuse(
      [](Checkpoint& other, Settings&) {
        other.info.image_shape = {1, 28, 28};
      },
      {"image shape", "1×28×28"});
  Checkpoint foreign = described("foreign");
  foreign.info.classes = 7;
  expect_user_error([&] { analyse_network(foreign, config, data, {}, silent); },
                    {"foreign", "7 classes", "procedural"});
}

TEST_F(NetworkAnalysisTest, NetsAreCountedWithTheModuleThatTheyRead) {
  const TemporaryFolder folder;
  const Settings config = settings({"epochs=1", "modules=4", "method=mlm"});
  const DataSource data = make_data(config);
  Trainer trainer(config, data, folder / "run");
  const TrainSummary summary = trainer.run();
  const Checkpoint checkpoint = read_checkpoint(reported_checkpoint(folder / "run"));
  AnalysisOptions options;
  options.test = true;
  const NetworkAnalysis analysis = analyse_network(checkpoint, config, data, options, silent);
  ASSERT_EQ(analysis.modules.size(), 4U);
  std::int64_t parameters = 0;
  for (const auto& module : analysis.modules) parameters += module.nets.parameters;
  EXPECT_EQ(parameters, summary.run.auxiliary_parameters);
  EXPECT_EQ(analysis.nets.parameters, parameters);
  EXPECT_EQ(analysis.backbone.parameters, summary.run.parameters);
  EXPECT_DOUBLE_EQ(analysis.head.validation, summary.validation_error);
  EXPECT_DOUBLE_EQ(analysis.head.test, summary.test_error);
  for (const auto& module : analysis.modules) {
    // 40 images, and nearly as many features or more: all can be told apart.
    EXPECT_LT(module.probe.train, 60);
    EXPECT_LE(module.probe.train, module.probe.validation);
  }
}

}  // namespace
}  // namespace mlaan::testing

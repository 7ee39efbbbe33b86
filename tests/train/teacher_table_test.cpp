#include "support/configured.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "support/test_backbone.h"

#include <mlaan/local/published.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/teacher_table.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(TeacherTable, MixesWhatItKnowsIntoTheLabels) {
  TeacherTable table(4, 3, torch::kCPU);
  const auto images = torch::tensor({2, 0}, torch::kInt64);
  const auto labels = torch::tensor({1, 2}, torch::kInt64);
  const auto one_hot = torch::tensor({{0.F, 1.F, 0.F}, {0.F, 0.F, 1.F}});
  EXPECT_TRUE(torch::equal(table.mixed(labels, images, 0.5), one_hot));  // nothing is known yet
  const auto logits = torch::log(torch::tensor({{0.5F, 0.25F, 0.25F}}));
  table.record(torch::tensor({2}, torch::kInt64), logits);
  const auto expected = torch::tensor({{0.2F, 0.7F, 0.1F}, {0.F, 0.F, 1.F}});
  EXPECT_TRUE(torch::allclose(table.mixed(labels, images, 0.4), expected, 1e-5, 1e-6));
  TeacherTable other(4, 3, torch::kCPU);
  other.set_state(table.state());
  EXPECT_TRUE(torch::equal(other.mixed(labels, images, 0.4), table.mixed(labels, images, 0.4)));
  TeacherTable larger(5, 3, torch::kCPU);
  expect_user_error([&] { larger.set_state(table.state()); }, {"4 training images", "5"});
  expect_user_error([&] { larger.set_state({}); }, {"teacher.probabilities"});
}

TEST(TeacherTable, HasAShareThatRises) {
  TeacherOptions options;
  options.share = 0.8;
  options.from = 0.5;
  EXPECT_DOUBLE_EQ(teacher_share(options, 0.25), 0);
  EXPECT_DOUBLE_EQ(teacher_share(options, 0.75), 0.4);
  EXPECT_DOUBLE_EQ(teacher_share(options, 1), 0.8);
}

class TeacherTest : public ::testing::TestWithParam<std::string> {
 protected:
  static Settings run_of(const std::vector<std::string>& more = {}) {
    auto settings = more;
    settings.push_back("teacher.of=" + GetParam());
    return configured({"model=resnet8", "epochs=3", "batch_size=8", "procedural.train_size=50",
                       "procedural.test_size=20", "validation.fraction=0.2", "method=dgl",
                       "engine.memory_format=channels_last", "teacher.share=0.7"},
                      settings);
  }

  std::vector<NamedTensor> train(const std::string& name, int stop_after,
                                 const std::vector<std::string>& more = {}) const {
    for (int part = 0; part < 2; ++part) {
      const Settings config = run_of(more);
      Trainer trainer(config, make_data(config), folder / name);
      if (part > 0) trainer.resume(read_checkpoint(last_checkpoint(folder / name)));
      int steps = 0;
      if (trainer.run([&] { return part == 0 && ++steps == stop_after; }).complete) break;
    }
    return read_checkpoint(last_checkpoint(folder / name)).file.tensors;
  }

  TemporaryFolder folder;
};

TEST_P(TeacherTest, GoesOnBitForBit) {
  const auto whole = train("whole", -1);
  for (const int steps : {2, 5, 8}) {
    const auto resumed = train(std::to_string(steps), steps);
    ASSERT_EQ(resumed.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_TRUE(torch::equal(resumed[i].tensor, whole[i].tensor)) << whole[i].name;
    }
  }
}

TEST_P(TeacherTest, TeachesFromTheSecondEpochOn) {
  const auto without = train("without", -1, {"teacher.share=0", "epochs=1"});
  const auto with = train("with", -1, {"epochs=1"});
  for (std::size_t i = 0; i < without.size(); ++i) {
    if (without[i].name.find("optimizer.") == 0) continue;
    EXPECT_TRUE(torch::allclose(with[i].tensor.to(torch::kFloat64),
                                without[i].tensor.to(torch::kFloat64), 1e-3, 1e-4))
        << without[i].name;
  }
  const auto longer = train("longer", -1);
  const auto longer_without = train("longer-without", -1, {"teacher.share=0"});
  EXPECT_FALSE(torch::allclose(longer[0].tensor, longer_without[0].tensor, 1e-3, 1e-4));
}

TEST_P(TeacherTest, IsRefusedWhereLabelsCannotBeMixed) {
  const auto refuse = [&](const std::vector<std::string>& more,
                          const std::vector<std::string>& parts) {
    expect_user_error([&] { train("refused", -1, more); }, parts);
  };
  refuse({"augment.mixup=0.5"}, {"teacher.share", "augment.mixup"});
  refuse({"method=infopro", "infopro.loss=contrast"}, {"supervised_contrastive", "one class"});
}

INSTANTIATE_TEST_SUITE_P(Of, TeacherTest, ::testing::Values("all", "nets"));

TEST(TeacherLabels, OfNetsLeaveTheHeadItsOwn) {
  const auto gradients = [](const torch::Tensor& labels, const torch::Tensor& net_labels) {
    const Backbone backbone = test_backbone("resnet8", 0);
    OptionSet options;
    Engine engine(backbone,
                  find_method("dgl").plan(backbone, default_partition(backbone, 3), options, 1));
    torch::manual_seed(0);
    return engine.step(torch::randn({4, 3, 32, 32}), labels, net_labels).losses;
  };
  const auto classes = torch::tensor({1, 2, 3, 4});
  const auto even = torch::full({4, 10}, 0.1F);
  const auto plain = gradients(classes, {});
  const auto of_nets = gradients(classes, even);
  const auto of_all = gradients(even, {});
  EXPECT_EQ(of_nets[2].item<float>(), plain[2].item<float>());  // the head is the last
  EXPECT_EQ(of_nets[0].item<float>(), of_all[0].item<float>());
  EXPECT_NE(of_nets[0].item<float>(), plain[0].item<float>());
}

}  // namespace
}  // namespace mlaan::testing

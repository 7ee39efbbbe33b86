#include "support/errors.h"
#include "support/temporary_folder.h"
#include "support/test_backbone.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/heads.h>
#include <mlaan/train/plan_file.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

class PlanFile : public ::testing::Test {
 protected:
  Plan plan_of(const std::string& method) const {
    OptionSet options;
    return find_method(method).plan(backbone, default_partition(backbone, 5), options, 3);
  }

  /// Writes a plan and reads it back.
  Plan reread(const Plan& plan) const {
    write_text(path, plan_text(describe(plan, backbone), backbone,
                               [](const NetDescription& net) { return "of " + net.name; }));
    OptionSet options;
    return plan_file_method(path.string())
        .plan(backbone, default_partition(backbone, 2), options, 3);
  }

  void refuse(const std::string& text, const std::vector<std::string>& parts) const {
    write_text(path, text);
    OptionSet options;
    expect_user_error(
        [&] {
          plan_file_method(path.string())
              .plan(backbone, default_partition(backbone, 2), options, 3);
        },
        parts);
  }

  Backbone backbone = test_backbone("resnet14", 0);
  TemporaryFolder folder;
  std::filesystem::path path = folder.path() / "plan.toml";
};

TEST_F(PlanFile, OfEveryMethodGivesItsPlanAgain) {
  auto methods = method_registry().names();
  methods.insert(methods.end(), {"infopro+mlm+lam", "predsim+lam", "dgl+man", "auglocal+mlm"});
  for (const auto& method : methods) {
    const Plan plan = plan_of(method);
    const Plan again = reread(plan);
    EXPECT_TRUE(again.partition == plan.partition) << method;
    ASSERT_EQ(again.supervisions.size(), plan.supervisions.size()) << method;
    for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
      const auto& left = plan.supervisions[s];
      const auto& right = again.supervisions[s];
      EXPECT_EQ(left.name, right.name);
      EXPECT_EQ(left.first, right.first);
      EXPECT_EQ(left.last, right.last);
      EXPECT_EQ(left.weight, right.weight);
      EXPECT_EQ(left.probability, right.probability);
      EXPECT_EQ(left.loss->name, right.loss->name);
      EXPECT_EQ(left.net == backbone.head(), right.net == backbone.head());
    }
    const auto left = named_parameters(backbone, plan);
    const auto right = named_parameters(backbone, again);
    ASSERT_EQ(left.size(), right.size()) << method;
    for (std::size_t i = 0; i < left.size(); ++i) {
      EXPECT_EQ(left[i].name, right[i].name) << method;
      EXPECT_TRUE(torch::equal(left[i].tensor, right[i].tensor)) << method << " " << left[i].name;
    }
    EXPECT_EQ(plan.averages.size(), again.averages.size()) << method;
  }
}

TEST_F(PlanFile, OfWhatHasNoTextIsNotWritten) {
  Plan plan = plan_of("dgl");
  const auto made = plan.supervisions[0].net;
  plan.supervisions[0].net = std::make_shared<AuxiliaryNet>(
      "aux.mine", std::vector<Unit>{pooled_linear("linear 10", 16, 10)});
  expect_user_error([&] { describe(plan, backbone); }, {"net 'aux.mine'", "layer texts"});

  plan.supervisions[0].net = made;
  describe(plan, backbone);
  Loss loss = *plan.supervisions[0].loss;
  loss.name = "mine";
  plan.supervisions[0].loss = std::make_shared<const Loss>(loss);
  expect_user_error([&] { describe(plan, backbone); }, {"'mine'", "mlaan info losses"});
}

TEST_F(PlanFile, WrittenByHandTrains) {
  write_text(path, R"(
model = "resnet14"
modules = ["stem to layer1.1", "layer2.0 to layer2.1", "layer3.0 to layer3.1"]

[[net]]
name = "both"
layers = ["conv 3x3 24 stride 2"]
[[net]]
name = "left"
trunk = "both"
layers = ["linear 10"]
[[net]]
name = "right"
trunk = "both"
layers = ["hidden 16", "linear 16"]

[[supervision]]
name = "class"
window = [1, 2]
net = "left"
loss = "cross_entropy"
weight = 1
[[supervision]]
name = "contrast"
window = [2, 2]
net = "right"
loss = "supervised_contrastive 0.1"
weight = 0.5
[[supervision]]
name = "output"
window = [3, 3]
net = "head"
loss = "cross_entropy"
weight = 1.0
)");
  OptionSet options;
  const Plan plan =
      plan_file_method(path.string()).plan(backbone, default_partition(backbone, 2), options, 3);
  Engine engine(backbone, plan);
  const auto images = torch::randn({8, 3, 32, 32});
  const auto labels = torch::arange(8) % 4;
  const auto first = engine.step(images, labels).losses;
  torch::Tensor last;
  for (int i = 0; i < 10; ++i) last = engine.step(images, labels).losses;
  EXPECT_LT(last.sum().item<double>(), first.sum().item<double>());
}

TEST_F(PlanFile, ThatCannotBeIsRefusedWithItsPlace) {
  const std::string model = "model = \"resnet14\"\n";
  const std::string modules = "modules = [\"stem to layer2.1\", \"layer3.0 to layer3.1\"]\n";
  const auto supervision = [](const std::string& net, const std::string& window = "[2, 2]",
                              const std::string& loss = "cross_entropy") {
    return "[[supervision]]\nname = \"a\"\nwindow = " + window + "\nnet = \"" + net +
           "\"\nloss = \"" + loss + "\"\nweight = 1\n";
  };
  const auto net = [](const std::string& name, const std::string& layer) {
    return "[[net]]\nname = \"" + name + "\"\nlayers = [\"" + layer + "\"]\n";
  };
  const std::string good = supervision("aux", "[1, 1]") + supervision("head");
  refuse("model = ", {"plan.toml:1"});
  refuse(modules, {"lacks 'model'"});
  refuse("model = \"resnet8\"\n" + modules, {"for resnet8, not for resnet14"});
  refuse(model + "module = []\n", {"plan.toml:2", "module", "modules"});
  refuse(model + "modules = [\"stem to layer2.1\", \"layer2.1 to layer3.1\"]\n",
         {"plan.toml:2:11", "module 2", "overlaps", "layer2.1"});
  refuse(model + "modules = [\"stem to layer2.0\", \"layer3.0 to layer3.1\"]\n",
         {"leaves out 'layer2.1'"});
  refuse(model + "modules = [\"stem to layer3.0\"]\n", {"end before 'layer3.1'"});
  refuse(model + "modules = [\"layer1.0 to stem\"]\n", {"ends before it begins"});
  refuse(model + "modules = [\"stem to layer4.1\"]\n", {"layer4.1"});
  refuse(model + modules + net("aux", "conv 3x3") + good, {"net 'aux'", "lacks"});
  refuse(model + modules + net("aux", "blurr 3") + good, {"net 'aux'", "blurr"});
  refuse(model + modules + net("aux", "linear 10") + net("aux", "linear 10") + good,
         {"two nets", "aux"});
  refuse(model + modules + net("other", "linear 10") + good, {"unknown net 'aux'"});
  refuse(model + modules + net("aux", "linear 10") + net("b", "linear 10") + good,
         {"no supervision reads net 'b'"});
  refuse(model + modules + net("aux", "linear 10") + supervision("aux", "[1, 3]"),
         {"modules 1 to 3", "within modules 1 to 2"});
  refuse(model + modules + net("aux", "linear 10") + supervision("aux", "[0, 1]"), {"window"});
  refuse(model + modules + net("aux", "linear 10") + supervision("aux", "[1, 1]", "mean") +
             supervision("head"),
         {"unknown loss 'mean'"});
  refuse(model + modules + supervision("head") + "colour = 1\n", {"colour"});
  expect_user_error([] { plan_file_method("no-such.toml"); }, {"no plan file no-such.toml"});
}

TEST_F(PlanFile, NetsWhoseOutputTheLossCannotReadAreRefused) {
  const auto plan = [](const std::string& layers, const std::string& loss) {
    return "model = \"resnet14\"\nmodules = [\"stem to layer1.0\", \"layer1.1 to layer3.1\"]\n"
           "[[net]]\nname = \"local\"\nlayers = [" +
           layers +
           "]\n[[supervision]]\nname = \"first\"\nwindow = [1, 1]\nnet = \"local\"\nloss = \"" +
           loss +
           "\"\nweight = 1.0\n"
           "[[supervision]]\nname = \"last\"\nwindow = [2, 2]\nnet = \"head\"\n"
           "loss = \"cross_entropy\"\nweight = 1.0\n";
  };
  refuse(plan("\"linear 7\"", "cross_entropy"),
         {"plan.toml", "net 'local'", "gives 7", "cross_entropy", "10, one number per class"});
  refuse(plan("\"conv 3x3 10\"", "cross_entropy"), {"gives 10×32×32", "10, one number per class"});
  refuse(plan("\"conv 3x3 8\"", "supervised_contrastive"), {"gives 8×32×32", "flat features"});
  refuse(plan("\"filter 3x3 4\"", "reconstruction"), {"gives 4×32×32", "3×32×32"});
  refuse(plan("\"linear 99999999999\"", "cross_entropy"), {"'99999999999'", "from 1 to"});
}

}  // namespace
}  // namespace mlaan::testing

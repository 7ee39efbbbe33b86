// Backbones from TorchScript files, which are written here without Python.
#include "core/trial_in_child.h"
#include "support/closeness.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/core/random.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/backbones/scripted_backbone.h>

#include <torch/script.h>
#include <torch/torch.h>

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

namespace mlaan::testing {
namespace {

constexpr std::int64_t scripted_classes = 3;

torch::jit::Module convolution(std::int64_t in, std::int64_t out) {
  torch::jit::Module module("Convolution");
  module.register_parameter("weight", 0.3 * torch::randn({out, in, 3, 3}), false);
  module.register_parameter("bias", torch::zeros({out}), false);
  module.define(
      "def forward(self, x):\n"
      "  return torch.relu(torch.conv2d(x, self.weight, self.bias, 1, 1))\n");
  return module;
}

torch::jit::Module flatten() {
  torch::jit::Module module("Flatten");
  module.define("def forward(self, x):\n  return torch.mean(x, [2, 3])\n");
  return module;
}

torch::jit::Module linear(std::int64_t in, std::int64_t out) {
  torch::jit::Module module("Linear");
  module.register_parameter("weight", torch::randn({out, in}), false);
  module.register_parameter("bias", torch::zeros({out}), false);
  module.define(
      "def forward(self, x):\n"
      "  return torch.linear(x, self.weight, self.bias)\n");
  return module;
}

/// A network of these children. \param forward its body.
torch::jit::Module network(const std::string& forward) {
  torch::manual_seed(1);
  torch::jit::Module module("Network");
  module.register_module("first", convolution(3, 8));
  module.register_module("second", convolution(8, 8));
  module.register_module("third", convolution(8, 8));
  module.register_module("pool", flatten());
  module.register_module("classifier", linear(8, scripted_classes));
  for (auto parameter : module.parameters()) parameter.set_requires_grad(true);
  module.define("def forward(self, x):\n  " + forward + "\n");
  return module;
}

const std::string chain =
    "return "
    "self.classifier.forward(self.pool.forward(self.third.forward(self.second.forward(self.first."
    "forward(x)))))";

class ScriptedBackbone : public ::testing::Test {
 protected:
  std::string saved(const torch::jit::Module& module) const {
    const std::string path = (folder / "network.pt").string();
    module.save(path);
    return path;
  }

  TemporaryFolder folder;
  const Shape shape{3, 8, 8};
};

TEST_F(ScriptedBackbone, IsCutIntoItsChildren) {
  auto module = network(chain);
  const Backbone backbone = make_backbone(saved(module), scripted_classes, shape, 0);
  EXPECT_EQ(backbone.name(), "network");
  ASSERT_EQ(backbone.size(), 3U);
  EXPECT_EQ(backbone.units()[1].name(), "second");
  EXPECT_EQ(backbone.output_shape(2), (Shape{8, 8, 8}));
  EXPECT_EQ(backbone.named_parameters().front().name, "first.weight");
  EXPECT_EQ(backbone.named_parameters().back().name, "classifier.bias");
  const auto images = torch::randn({4, 3, 8, 8});
  const torch::NoGradGuard no_grad;
  expect_close(backbone.forward(images), module.forward({images}).toTensor(), 1e-6, "logits");
}

TEST_F(ScriptedBackbone, IsTrainedByLocalMethods) {
  const std::string path = saved(network(chain));
  const auto images = torch::randn({6, 3, 8, 8});
  const auto labels = torch::arange(6) % scripted_classes;
  for (const char* method : {"dgl", "mlaan", "lam", "predsim", "e2e"}) {
    const Backbone backbone = make_backbone(path, scripted_classes, shape, 0);
    OptionSet options;
    EngineOptions gentle;
    SgdOptions descent;
    descent.lr = 0.01;
    gentle.optimizer = sgd(descent);
    Engine engine(backbone,
                  find_method(method).plan(backbone, default_partition(backbone, 3), options, 0),
                  gentle);
    const auto before = backbone.named_parameters().front().tensor.detach().clone();
    const auto start = engine.step(images, labels).losses.sum().item<double>();
    StepResult result;
    for (int step = 0; step < 20; ++step) result = engine.step(images, labels);
    EXPECT_LT(result.losses.sum().item<double>(), start) << method;
    EXPECT_FALSE(torch::equal(backbone.named_parameters().front().tensor, before)) << method;
  }
}

TEST_F(ScriptedBackbone, CopiesShareNothing) {
  const Backbone backbone = make_backbone(saved(network(chain)), scripted_classes, shape, 0);
  const Unit& unit = backbone.units()[1];
  const Unit copy = unit.clone("copy");
  EXPECT_EQ(copy.named_parameters().front().name, "copy.weight");
  EXPECT_TRUE(copy.named_parameters().front().tensor.is_leaf());
  const auto input = torch::randn({2, 8, 8, 8});
  const torch::NoGradGuard no_grad;
  expect_same(copy.forward(input), unit.forward(input), "a copy");
  torch::Tensor(copy.named_parameters().front().tensor).add_(1);
  EXPECT_GT(relative_difference(copy.forward(input), unit.forward(input)), 1e-2);
}

TEST_F(ScriptedBackbone, WhatIsNoChainIsRefused) {
  const auto refused = [&](const std::string& forward, const std::vector<std::string>& parts) {
    const std::string path = saved(network(forward));
    expect_user_error([&] { make_backbone(path, scripted_classes, shape, 0); }, parts);
  };
  refused(
      "return self.classifier.forward(self.pool.forward(self.second.forward(self.first.forward(x)) "
      "+ self.third.forward(self.first.forward(x))))",
      {"network.pt", "cannot be cut", "Sequential"});
  refused(
      "return "
      "self.classifier.forward(torch.mean(self.third.forward(self.second.forward(self.first."
      "forward(x))), [2, 3]) * 2.0)",
      {"network.pt", "cannot be cut"});
  const std::string path = saved(network(chain));
  expect_user_error([&] { make_backbone(path, 10, shape, 0); }, {"3 logits", "10 classes"});
  expect_user_error(
      [&] {
        make_backbone(path, scripted_classes, {1, 8, 8}, 0);
      },
      {"network.pt", "1×8×8"});
  expect_user_error([&] { make_backbone("none.pt", scripted_classes, shape, 0); },
                    {"no file", "none.pt"});
  const auto text = folder / "text.pt";
  write_text(text, "no script");
  expect_user_error([&] { make_backbone(text.string(), scripted_classes, shape, 0); },
                    {"text.pt", "TorchScript"});
}

/// A network with a layer of this body between its convolution and its pooling.
torch::jit::Module with_layer(const std::string& body) {
  torch::manual_seed(1);
  torch::jit::Module layer("Layer");
  if (!layer.hasattr("training")) layer.register_attribute("training", c10::BoolType::get(), true);
  layer.register_buffer("mean", torch::zeros({8}));
  layer.register_buffer("deviation", torch::ones({8}));
  layer.define("def forward(self, x):\n" + body);
  torch::jit::Module module("Network");
  module.register_module("first", convolution(3, 8));
  module.register_module("layer", layer);
  module.register_module("pool", flatten());
  module.register_module("classifier", linear(8, scripted_classes));
  for (auto parameter : module.parameters()) parameter.set_requires_grad(true);
  module.define(
      "def forward(self, x):\n"
      "  return "
      "self.classifier.forward(self.pool.forward(self.layer.forward(self.first.forward(x))))"
      "\n");
  return module;
}

std::string normalisation(const std::string& mean, const std::string& mode) {
  return "  return torch.batch_norm(x, None, None, " + mean + ", " +
         (mean == "None" ? mean : "self.deviation") + ", " + mode + ", 0.1, 1e-5, False)\n";
}

TEST_F(ScriptedBackbone, LayersThatDoNotFollowTheModeAreRefused) {
  const auto refused = [&](const std::string& body, const std::vector<std::string>& parts) {
    const std::string path = saved(with_layer(body));
    expect_user_error([&] { make_backbone(path, scripted_classes, shape, 0); }, parts);
  };
  const std::string advice = "torch.jit.script(network).save(\"network.pt\")";
  refused(normalisation("self.mean", "True"),
          {"network.pt", "training mode", "batch_norm", advice});
  refused(normalisation("self.mean", "False"), {"evaluation mode", "batch_norm", advice});
  refused("  return torch.dropout(x, 0.5, True)\n", {"training mode", "dropout", advice});
  refused("  return torch.dropout(x, 0.5, False)\n", {"evaluation mode", "dropout", advice});
  refused("  return torch.feature_dropout(x, 0.5, False)\n", {"evaluation mode", advice});
  refused(
      "  return torch.instance_norm(x, None, None, self.mean, self.deviation, True, 0.1, 1e-5, "
      "False)\n",
      {"training mode", "instance_norm", advice});
  refused("  return x * torch.bernoulli(torch.full([x.size(0), 8, 1, 1], 0.5))\n",
          {"each time", advice});
}

TEST_F(ScriptedBackbone, LayersThatFollowTheModeAreTaken) {
  const auto taken = [&](const std::string& body) {
    const std::string path = saved(with_layer(body));
    EXPECT_NO_THROW(make_backbone(path, scripted_classes, shape, 0)) << body;
  };
  taken(normalisation("self.mean", "self.training"));
  taken(normalisation("None", "True"));
  taken("  return torch.dropout(x, 0.5, self.training)\n");
  taken("  return torch.dropout(x, 0.0, False)\n");
  taken("  if self.training:\n    return x * 2.0\n  return x\n");

  // What a batch normalisation that follows the mode gives in both.
  const Backbone backbone = make_backbone(
      saved(with_layer(normalisation("self.mean", "self.training"))), scripted_classes, shape, 0);
  const auto images = torch::randn({4, 3, 8, 8});
  const torch::NoGradGuard no_grad;
  backbone.train(false);
  const auto one = backbone.forward(images.narrow(0, 0, 1));
  expect_close(backbone.forward(images).narrow(0, 0, 1), one, 1e-5, "a sample by itself");
  backbone.train(true);
  EXPECT_GT(relative_difference(backbone.forward(images).narrow(0, 0, 1), one), 1e-3);
}

TEST(TrialInChild, TellsHowAProcessEnded) {
  EXPECT_EQ(death_in_child([] {}, 60), "");
  EXPECT_EQ(death_in_child([] { throw Error("in both"); }, 60), "");
  EXPECT_NE(death_in_child([] { std::raise(SIGSEGV); }, 60), "");
  EXPECT_NE(death_in_child([] { std::abort(); }, 60), "");
  EXPECT_NE(death_in_child(
                [] {
                  for (volatile bool on = true; on;) continue;
                },
                1)
                .find("after 1 s"),
            std::string::npos);
  bool here = false;
  death_in_child([&] { here = true; }, 60);
  EXPECT_FALSE(here) << "it is another process";
}

TEST_F(ScriptedBackbone, DamagedFilesAreRefusedWithoutEndingTheProcess) {
  const std::string whole = read_text(saved(network(chain)));
  RandomStream random(1);
  for (int i = 0; i < 40; ++i) {
    std::string damaged = whole;
    for (std::uint64_t k = 0; k <= random.below(6); ++k) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    }
    if (i % 4 == 0) damaged.resize(random.below(damaged.size()));
    write_text(folder / "damaged.pt", damaged);
    try {
      make_backbone((folder / "damaged.pt").string(), scripted_classes, shape, 0);
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("damaged.pt"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace mlaan::testing

// Exported networks give the logits of the network that was exported, here and in Python.
#include "io/onnx_model.h"
#include "support/errors.h"
#include "support/folders.h"
#include "support/python.h"
#include "support/temporary_folder.h"

#include <mlaan/core/random.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/exported_network.h>
#include <mlaan/train/plan_file.h>

#include <torch/script.h>
#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <sstream>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t test_classes = 7;

/// Statistics and parameters as training leaves them: none is 0 or 1.
void disturb(const MultiExitNetwork& network) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  for (const auto& named : network.named_parameters()) {
    named.tensor.add_(0.1 * torch::randn_like(named.tensor) *
                      named.tensor.abs().mean().clamp_min(0.1));
  }
  for (const auto& named : network.named_buffers()) {
    if (named.tensor.is_floating_point()) named.tensor.add_(0.2 * torch::rand_like(named.tensor));
  }
  network.train(false);
}

MultiExitNetwork network_named(const std::string& model, const Shape& image_shape) {
  MultiExitNetwork network{make_backbone(model, test_classes, image_shape, 1), Partition({0}), {}};
  network.partition = Partition::uniform(network.backbone, 1);
  disturb(network);
  return network;
}

ExportInfo info_of(const MultiExitNetwork& network, const std::string& model) {
  ExportInfo info;
  info.model = model;
  info.classes = network.backbone.classes();
  info.image_shape = network.backbone.input_shape(0);
  for (std::int64_t c = 0; c < info.classes; ++c) {
    info.class_names.push_back("class " + std::to_string(c));
  }
  info.normalisation = {{0.4, 0.5, 0.6}, {0.2, 0.25, 0.3}};
  info.framing_share = 0.875;
  info.method = "e2e";
  info.epochs = 3;
  info.dataset = "folder";
  info.dataset_settings = "folder.size = 64\n";
  std::int64_t module = 0;
  for (const auto& output : network.output_names()) {
    info.exits.push_back(
        {output, "some net", ++module, 12.5, std::numeric_limits<double>::quiet_NaN()});
  }
  return info;
}

class Exported : public ::testing::Test {
 protected:
  /// Exports, reads again, and compares on a batch of another size.
  void expect_the_same_when_read(const MultiExitNetwork& network, const ExportInfo& info,
                                 ExportFormat format, const std::string& name) const {
    SCOPED_TRACE(name);
    const torch::NoGradGuard no_grad;
    export_network(network, info, format, folder / name);
    ASSERT_TRUE(is_exported(folder / name));
    const ExportedNetwork read = read_exported(folder / name, torch::kCPU);
    EXPECT_EQ(read.info.to_json(), info.to_json());
    EXPECT_EQ(read.parameters, element_count(network.named_parameters()));
    const torch::Tensor images = batch_for(network, 4);
    const auto expected = network.forward(images);
    const auto actual = read.predict(images);
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_LT((actual[i] - expected[i]).abs().max().item<double>(),
                1e-5 * std::max(1.0, expected[i].abs().max().item<double>()));
    }
    if (format == ExportFormat::folder) return;
    EXPECT_EQ(read_text((folder / name).replace_extension(".json")), info.to_json());
  }

  static torch::Tensor batch_for(const MultiExitNetwork& network, std::int64_t batch) {
    Shape sizes = network.backbone.input_shape(0);
    sizes.insert(sizes.begin(), batch);
    torch::manual_seed(5);
    return torch::randn(sizes);
  }

  void write_floats(const std::string& name, const torch::Tensor& tensor) const {
    const torch::Tensor plain = tensor.contiguous();
    std::ofstream(folder / (name + ".bin"), std::ios::binary)
        .write(static_cast<const char*>(plain.data_ptr()),
               static_cast<std::streamsize>(plain.nbytes()));
  }

  /// What Python makes of the file: its facts, then each output's difference.
  std::vector<std::string> in_python(const MultiExitNetwork& network,
                                     const std::string& file) const {
    const torch::NoGradGuard no_grad;
    const torch::Tensor images = batch_for(network, 3);
    write_floats("images", images);
    const auto outputs = network.forward(images);
    std::string names;
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string name = network.output_names()[i];
      write_floats(name, outputs[i]);
      names += (i > 0 ? "," : "") + name;
    }
    const auto& shape = network.backbone.input_shape(0);
    const fs::path printed = folder / "printed.txt";
    const std::string command =
        python + " " + (test_folder() / "support/exported_logits.py").string() + " " +
        (folder / file).string() + " 3x" + std::to_string(shape[0]) + "x" +
        std::to_string(shape[1]) + "x" + std::to_string(shape[2]) + " " + folder.path().string() +
        " " + names + " > " + printed.string() + " 2> " + (folder / "errors.txt").string();
    const int status = std::system(command.c_str());
    EXPECT_EQ(status, 0) << read_text(folder / "errors.txt");
    std::istringstream text(read_text(printed));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }

  void expect_the_same_in_python(const MultiExitNetwork& network, const std::string& file) const {
    SCOPED_TRACE(file);
    const auto lines = in_python(network, file);
    const auto names = network.output_names();
    ASSERT_EQ(lines.size(), names.size() + 1);
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::istringstream line(lines[i + 1]);
      std::string name;
      double difference = 1;
      line >> name >> difference;
      EXPECT_EQ(name, names[i]);
      EXPECT_LE(difference, 1e-5);
    }
  }

  TemporaryFolder folder;
};

struct ExportCase {
  const char* model;
  Shape image_shape;
};

class ExportedBackbone : public Exported, public ::testing::WithParamInterface<ExportCase> {};

TEST_P(ExportedBackbone, GivesItsLogitsFromEveryFormat) {
  const auto& [model, image_shape] = GetParam();
  const MultiExitNetwork network = network_named(model, image_shape);
  const ExportInfo info = info_of(network, model);
  expect_the_same_when_read(network, info, ExportFormat::safetensors, "network.safetensors");
  expect_the_same_when_read(network, info, ExportFormat::torchscript, "network.pt");
  expect_the_same_when_read(network, info, ExportFormat::onnx, "network.onnx");
  expect_the_same_when_read(network, info, ExportFormat::folder, "network");
  const TensorFile file = read_safetensors(folder / "network.safetensors");
  for (const auto& named : network.named_parameters()) {
    EXPECT_TRUE(file.find(named.name).defined()) << named.name;
  }
}

TEST_P(ExportedBackbone, GivesItsLogitsInOnnxRuntime) {
  if (!python_runs("import onnxruntime")) GTEST_SKIP() << "Python's onnxruntime is not installed";
  const auto& [model, image_shape] = GetParam();
  const MultiExitNetwork network = network_named(model, image_shape);
  export_network(network, info_of(network, model), ExportFormat::onnx, folder / "network.onnx");
  expect_the_same_in_python(network, "network.onnx");
  if (!python_runs("import onnx")) return;
  EXPECT_EQ(in_python(network, "network.onnx").at(0), "opset 17");
}

TEST_P(ExportedBackbone, GivesItsLogitsInPythonsTorch) {
  if (!python_runs("import torch, numpy")) GTEST_SKIP() << "Python's torch is not installed";
  const auto& [model, image_shape] = GetParam();
  const MultiExitNetwork network = network_named(model, image_shape);
  export_network(network, info_of(network, model), ExportFormat::torchscript,
                 folder / "network.pt");
  expect_the_same_in_python(network, "network.pt");
  // Names as torchvision's, and no other.
  std::istringstream facts(in_python(network, "network.pt").at(0));
  const std::set<std::string> names{std::istream_iterator<std::string>(facts), {}};
  std::set<std::string> expected;
  for (const auto& named : network.named_parameters()) expected.insert(named.name);
  for (const auto& named : network.named_buffers()) expected.insert(named.name);
  EXPECT_EQ(names, expected);
}

INSTANTIATE_TEST_SUITE_P(Models, ExportedBackbone,
                         ::testing::Values(ExportCase{"resnet32", {3, 32, 32}},
                                           ExportCase{"resnet50", {3, 64, 64}},
                                           ExportCase{"vit_tiny", {3, 32, 32}},
                                           ExportCase{"convnext_tiny", {3, 64, 64}},
                                           ExportCase{"vgg8b", {3, 32, 32}}),
                         [](const auto& test) { return std::string(test.param.model); });

/// A network with the classifiers of a method behind its modules.
MultiExitNetwork with_exits(const std::string& model, const std::string& method,
                            std::size_t modules, ExportInfo& info) {
  const Shape image_shape{3, 32, 32};
  MultiExitNetwork network{make_backbone(model, test_classes, image_shape, 1), Partition({0}), {}};
  network.backbone.set_normalisation({{0.4, 0.5, 0.6}, {0.2, 0.25, 0.3}});
  OptionSet options;
  const Plan plan = method_registry().at(method).plan(
      network.backbone, default_partition(network.backbone, modules), options, 0);
  network.partition = plan.partition;
  const auto all = early_exits(plan, network.backbone);
  for (const auto i : best_exits(all, std::vector<double>(all.size(), 50))) {
    network.exits.push_back(all[i]);
  }
  disturb(network);
  info = info_of(network, model);
  info.plan = plan_text(describe(plan_of_exits(network, plan), network.backbone), network.backbone);
  return network;
}

TEST_F(Exported, EarlyExitsComeAlongInEveryFormat) {
  for (const char* method : {"dgl", "mlaan", "mlaan-lean", "infopro", "man", "predsim"}) {
    SCOPED_TRACE(method);
    ExportInfo info;
    const MultiExitNetwork network = with_exits("resnet20", method, 4, info);
    std::vector<std::string> outputs{"exit_1", "exit_2", "exit_3", "logits"};
    // InfoPro's first module has a decoder alone, and so has MAN's, which builds on it.
    const bool begins_with_decoder =
        std::string(method) == "infopro" || std::string(method) == "man";
    if (begins_with_decoder) outputs.erase(outputs.begin());
    EXPECT_EQ(network.output_names(), outputs);
    const std::string name = std::string("network-") + method;
    expect_the_same_when_read(network, info, ExportFormat::safetensors, name + ".safetensors");
    expect_the_same_when_read(network, info, ExportFormat::torchscript, name + ".pt");
    expect_the_same_when_read(network, info, ExportFormat::onnx, name + ".onnx");
    if (python_runs("import onnxruntime")) expect_the_same_in_python(network, name + ".onnx");
  }
}

TEST_F(Exported, EarlyExitsOfAVisionTransformerComeAlong) {
  ExportInfo info;
  const MultiExitNetwork network = with_exits("vit_tiny", "dgl", 3, info);
  expect_the_same_when_read(network, info, ExportFormat::safetensors, "network.safetensors");
  expect_the_same_when_read(network, info, ExportFormat::torchscript, "network.pt");
  expect_the_same_when_read(network, info, ExportFormat::onnx, "network.onnx");
  if (python_runs("import onnxruntime")) expect_the_same_in_python(network, "network.onnx");
}

TEST_F(Exported, ScriptedNetworksKeepTheirScript) {
  torch::manual_seed(2);
  torch::jit::Module script("Network");
  torch::jit::Module first("Convolution");
  first.register_parameter("weight", 0.3 * torch::randn({6, 3, 3, 3}), false);
  first.define("def forward(self, x):\n  return torch.relu(torch.conv2d(x, self.weight))\n");
  torch::jit::Module second("Flatten");
  second.define("def forward(self, x):\n  return torch.mean(x, [2, 3])\n");
  torch::jit::Module third("Linear");
  third.register_parameter("weight", torch::randn({test_classes, 6}), false);
  third.register_parameter("bias", torch::zeros({test_classes}), false);
  third.define("def forward(self, x):\n  return torch.linear(x, self.weight, self.bias)\n");
  torch::jit::Module fourth = first.deepcopy();
  fourth.setattr("weight", 0.3 * torch::randn({6, 6, 3, 3}));
  script.register_module("first", first);
  script.register_module("more", fourth);
  script.register_module("pool", second);
  script.register_module("fc", third);
  script.define(
      "def forward(self, x):\n"
      "  return self.fc.forward(self.pool.forward(self.more.forward(self.first.forward(x))))\n");
  const fs::path file = folder / "own.pt";
  script.save(file.string());

  const MultiExitNetwork network = network_named(file.string(), {3, 16, 16});
  const ExportInfo info = info_of(network, file.string());
  export_network(network, info, ExportFormat::torchscript, folder / "trained.pt", file);
  export_network(network, info, ExportFormat::safetensors, folder / "trained.safetensors", file);
  const torch::NoGradGuard no_grad;
  const torch::Tensor images = batch_for(network, 2);
  const torch::Tensor expected = network.forward(images).back();
  const auto from_script = read_exported(folder / "trained.pt", torch::kCPU);
  EXPECT_TRUE(torch::allclose(from_script.predict(images).back(), expected, 1e-5, 1e-5));
  // What only a file of weights names is not opened.
  expect_user_error([&] { read_exported(folder / "trained.safetensors", torch::kCPU); },
                    {"scripted network", "--model"});
  const auto from_weights = read_exported(folder / "trained.safetensors", torch::kCPU, file);
  EXPECT_TRUE(torch::allclose(from_weights.predict(images).back(), expected, 1e-5, 1e-5));
  if (!python_runs("import torch, numpy")) return;
  expect_the_same_in_python(network, "trained.pt");
}

TEST_F(Exported, WhatWasChangedIsRefused) {
  const MultiExitNetwork network = network_named("resnet8", {3, 32, 32});
  const ExportInfo info = info_of(network, "resnet8");
  export_network(network, info, ExportFormat::onnx, folder / "network.onnx");
  const std::string model = read_text(folder / "network.onnx");
  const auto read_changed = [&](const std::string& bytes, const std::string& name) {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return [path = folder / name] { read_exported(path, torch::kCPU); };
  };
  std::string other = model;
  other.replace(other.find("Relu"), 4, "Tanh");
  expect_user_error(read_changed(other, "other.onnx"), {"other.onnx", "something different"});
  std::string foreign = model;
  foreign.replace(foreign.find("mlaan.network"), 5, "other");
  expect_user_error(read_changed(foreign, "foreign.onnx"), {"foreign.onnx", "not exported"});
  expect_user_error(read_changed(model.substr(0, model.size() / 2), "half.onnx"), {"half.onnx"});
  expect_user_error(read_changed("text", "text.pt"), {"text.pt"});
  std::string version = model;
  version.replace(version.find("mlaan network 1"), 15, "mlaan network 9");
  expect_user_error(read_changed(version, "version.onnx"), {"mlaan network 9"});
}

TEST_F(Exported, DamagedScriptsAreRefusedWithoutEndingTheProcess) {
  const MultiExitNetwork network = network_named("resnet8", {3, 32, 32});
  export_network(network, info_of(network, "resnet8"), ExportFormat::torchscript,
                 folder / "network.pt");
  const std::string whole = read_text(folder / "network.pt");
  // A part of another name: LibTorch misses a type, and says so by an exception of its own kind.
  std::string renamed = whole;
  renamed.replace(renamed.rfind("/code/__torch__.pyPK"), 15, "/code/__other__");
  write_text(folder / "renamed.pt", renamed);
  expect_user_error([&] { read_exported(folder / "renamed.pt", torch::kCPU); }, {"renamed.pt"});
  RandomStream random(1);
  for (int i = 0; i < 40; ++i) {
    std::string damaged = whole;
    // The list of its parts at the end, of which LibTorch believes every number.
    for (int k = 0; k < 4; ++k) {
      const std::uint64_t from_end = 1 + random.below(2000);
      damaged[damaged.size() - from_end] = static_cast<char>(random.below(256));
    }
    write_text(folder / "damaged.pt", damaged);
    try {
      read_exported(folder / "damaged.pt", torch::kCPU);
    } catch (const UserError& error) {
      EXPECT_NE(std::string(error.what()).find("damaged.pt"), std::string::npos) << error.what();
    }
  }
}

TEST(EarlyExits, OfEachModuleTheBestStays) {
  const auto exit = [](std::size_t module) { return EarlyExit{module, nullptr}; };
  const std::vector<EarlyExit> exits{exit(0), exit(0), exit(1), exit(2), exit(2)};
  const double none = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(best_exits(exits, {40, 30, 20, 10, 10}), (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(best_exits(exits, {none, none, none, none, 5}), (std::vector<std::size_t>{0, 2, 4}));
}

TEST(EarlyExits, AreTheNetsThatClassify) {
  const Backbone backbone = make_backbone("resnet8", test_classes, {3, 32, 32}, 1);
  OptionSet options;
  const auto plan_of = [&](const char* method) {
    return method_registry().at(method).plan(backbone, Partition::uniform(backbone, 2), options, 0);
  };
  EXPECT_TRUE(early_exits(plan_of("e2e"), backbone).empty());
  const auto exits = early_exits(plan_of("dgl"), backbone);
  ASSERT_EQ(exits.size(), 1U);
  EXPECT_EQ(exits[0].module, 0U);
}

}  // namespace
}  // namespace mlaan::testing

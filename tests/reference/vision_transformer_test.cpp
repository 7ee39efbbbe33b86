// Vision transformers with torchvision's weights give torchvision's logits.
#include "support/closeness.h"
#include "support/folders.h"
#include "support/temporary_folder.h"

#include <mlaan/io/safetensors.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/vision_transformer.h>

#include <cstdlib>
#include <set>

namespace mlaan::testing {
namespace {

constexpr const char* python = "/usr/bin/python3";

bool has_torchvision() {
  return std::system((std::string(python) + " -c 'import torchvision' 2>/dev/null").c_str()) == 0;
}

/// Expects the weights' names to be the backbone's, and the logits of both to agree.
void expect_the_same_logits(const Backbone& backbone, const std::string& arguments) {
  const TemporaryFolder folder;
  const auto path = folder / "model.safetensors";
  const auto side = std::to_string(backbone.input_shape(0).at(1));
  const auto first = arguments.find(' ');
  const std::string command =
      std::string(python) + " " + (test_folder() / "reference/torchvision_logits.py").string() +
      " " + arguments.substr(0, first) + " " + side + " " + path.string() + arguments.substr(first);
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  const TensorFile file = read_safetensors(path);
  std::set<std::string> names;
  for (const auto& named : file.tensors) names.insert(named.name);
  const torch::NoGradGuard no_grad;
  for (const auto& named : backbone.named_parameters()) {
    ASSERT_EQ(names.erase(named.name), 1U) << "torchvision has no " << named.name;
    torch::Tensor(named.tensor).copy_(file.find(named.name));
  }
  EXPECT_EQ(names, (std::set<std::string>{"images", "logits"})) << "weights that nobody reads";
  backbone.train(false);
  const auto expected = file.find("logits");
  EXPECT_LE((backbone.forward(file.find("images")) - expected).abs().max().item<double>(), 1e-4)
      << "of logits up to " << expected.abs().max().item<double>();
}

TEST(VisionTransformerReference, BaseIsTorchvisionsVitB16) {
  if (!has_torchvision()) GTEST_SKIP() << "python3-torchvision is not installed";
  expect_the_same_logits(make_backbone("vit_base", 10, {3, 224, 224}, 0),
                         "vit_b_16 num_classes=10");
}

TEST(VisionTransformerReference, TinyIsTorchvisionsOfItsSizes) {
  if (!has_torchvision()) GTEST_SKIP() << "python3-torchvision is not installed";
  expect_the_same_logits(
      make_backbone("vit_tiny", 7, {3, 32, 32}, 0),
      "VisionTransformer patch_size=4 num_layers=12 num_heads=3 hidden_dim=192 mlp_dim=768 "
      "num_classes=7");
}

}  // namespace
}  // namespace mlaan::testing

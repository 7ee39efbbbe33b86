// Backbones with torchvision's weights give torchvision's logits.
#include "support/folders.h"
#include "support/python.h"
#include "support/temporary_folder.h"

#include <mlaan/io/safetensors.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/pretrained_weights.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <string>

namespace mlaan::testing {
namespace {

struct Architecture {
  std::string model;
  std::int64_t side;
  std::string arguments;  ///< of the script: torchvision's name, then settings
};

void PrintTo(const Architecture& architecture, std::ostream* out) {
  *out << architecture.model;
}

class TorchvisionReference : public ::testing::TestWithParam<Architecture> {};

TEST_P(TorchvisionReference, SameWeightsGiveTheSameLogits) {
  if (!python_runs("import torchvision")) {
    GTEST_SKIP() << "python3-torchvision is not installed";
  }
  const auto& architecture = GetParam();
  const TemporaryFolder folder;
  const auto weights = folder / "weights.safetensors";
  const auto sample = folder / "sample.safetensors";
  const auto first = architecture.arguments.find(' ');
  const std::string command =
      std::string(python) + " " + (test_folder() / "reference/torchvision_logits.py").string() +
      " " + architecture.arguments.substr(0, first) + " " + std::to_string(architecture.side) +
      " " + weights.string() + " " + sample.string() + " num_classes=10" +
      (first == std::string::npos ? "" : architecture.arguments.substr(first));
  ASSERT_EQ(std::system(command.c_str()), 0) << command;

  const Backbone backbone =
      make_backbone(architecture.model, 10, {3, architecture.side, architecture.side}, 0);
  load_pretrained(weights, backbone);
  backbone.train(false);
  backbone.to(torch::kFloat64);  // in float32 LibTorch's releases differ by 1e-4 in deep networks
  const TensorFile file = read_safetensors(sample);
  const auto expected = file.find("logits");
  const torch::NoGradGuard no_grad;
  const double largest = expected.abs().max().item<double>();
  EXPECT_GT(largest, 0.01);
  const auto logits = backbone.forward(file.find("images").to(torch::kFloat64));
  EXPECT_LE((logits - expected).abs().max().item<double>(), 1e-9 * std::max(1.0, largest))
      << "of logits up to " << largest;
}

INSTANTIATE_TEST_SUITE_P(
    Architectures, TorchvisionReference,
    ::testing::Values(
        Architecture{"resnet18", 224, "resnet18"}, Architecture{"resnet34", 96, "resnet34"},
        Architecture{"resnet50", 224, "resnet50"}, Architecture{"resnet101", 96, "resnet101"},
        Architecture{"resnet152", 96, "resnet152"},
        Architecture{"resnext50_32x4d", 96, "resnext50_32x4d"},
        Architecture{"resnext101_32x8d", 96, "resnext101_32x8d"},
        Architecture{"vgg11_bn", 224, "vgg11_bn"}, Architecture{"vgg13_bn", 64, "vgg13_bn"},
        Architecture{"vgg16_bn", 64, "vgg16_bn"}, Architecture{"vgg19_bn", 64, "vgg19_bn"},
        Architecture{"convnext_tiny", 96, "convnext_tiny"},
        Architecture{"vit_base", 224, "vit_b_16"},
        Architecture{"vit_tiny", 32,
                     "VisionTransformer patch_size=4 num_layers=12 num_heads=3 "
                     "hidden_dim=192 mlp_dim=768"}),
    [](const auto& architecture) { return architecture.param.model; });

}  // namespace
}  // namespace mlaan::testing

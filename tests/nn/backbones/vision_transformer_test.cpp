#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/measure/cost.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/backbones/vision_transformer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(VisionTransformer, SizesAreThoseOfThePapers) {
  // Dosovitskiy et al. 2021, table 1, and Touvron et al. 2021 (arXiv:2012.12877), table 1.
  const auto parameters = [](const std::string& name) {
    return element_count(make_backbone(name, 1000, {3, 224, 224}, 0).named_parameters());
  };
  EXPECT_EQ(parameters("vit_tiny"), 5717416);
  EXPECT_EQ(parameters("vit_small"), 22050664);
  EXPECT_EQ(parameters("vit_base"), 86567656);
}

TEST(VisionTransformer, PatchesFitThePictures) {
  const auto patch = [](std::int64_t side) { return usual_patch({3, side, side}); };
  EXPECT_EQ(patch(224), 16);
  EXPECT_EQ(patch(112), 16);
  EXPECT_EQ(patch(96), 8);
  EXPECT_EQ(patch(64), 8);
  EXPECT_EQ(patch(32), 4);
  EXPECT_EQ(patch(28), 4);
  EXPECT_EQ(usual_patch({3, 32, 224}), 4);
  const Backbone backbone = make_backbone("vit_tiny", 10, {1, 32, 64}, 0);
  EXPECT_EQ(backbone.output_shape(0), (Shape{1 + 8 * 16, 192}));
  EXPECT_EQ(backbone.block_count(), 12U);
  EXPECT_EQ(backbone.size(), 13U);
}

TEST(VisionTransformer, SettingsStandBehindTheName) {
  const Backbone backbone = make_backbone("vit_tiny:patch=8:pool=mean:depth=2", 10, {3, 32, 32}, 0);
  EXPECT_EQ(backbone.output_shape(2), (Shape{16, 192}));
  EXPECT_FALSE(backbone.token_layout()->class_token);
  for (const auto& named : backbone.named_parameters()) EXPECT_NE(named.name, "class_token");
  const auto refused = [](const std::string& name) {
    return [name] { make_backbone(name, 10, {3, 32, 32}, 0); };
  };
  expect_user_error(refused("vit_tiny:patch=5"), {"vit_tiny", "patches of 5", "3×32×32"});
  expect_user_error(refused("vit_tiny:pitch=5"), {"vit_tiny", "pitch", "patch"});
  expect_user_error(refused("vit_tiny:pool=max"), {"pool", "max", "class, mean"});
  expect_user_error(refused("vit_tiny:patch"), {"'patch' is not an assignment"});
  expect_user_error(refused("resnet20:patch=4"), {"resnet20 has no settings"});
  expect_user_error(refused("vit_tinny"), {"vit_tiny"});
}

TEST(VisionTransformer, HeadOfMeansReadsEveryToken) {
  const Backbone backbone = make_backbone("vit_tiny:patch=8:pool=mean:depth=1", 5, {3, 32, 32}, 0);
  const Unit& head = backbone.head()->units().front();
  for (const auto& named : head.named_parameters()) {
    torch::nn::init::normal_(named.tensor);
  }
  const auto tokens = torch::randn({2, 16, 192});
  const auto order = torch::randperm(16);
  const torch::NoGradGuard no_grad;
  const auto logits = head.forward(tokens);
  expect_close(head.forward(tokens.index_select(1, order)), logits, 1e-4, "in another order");
  auto other = tokens.clone();
  other.select(1, 9).add_(torch::randn({192}));
  EXPECT_GT(relative_difference(head.forward(other), logits), 1e-3);
}

TEST(VisionTransformer, WorkOfABlockIsThatOfItsProducts) {
  constexpr std::int64_t tokens = 9;
  constexpr std::int64_t width = 12;
  EncoderBlock block(width, 3, 4 * width);
  const auto input = torch::randn({2, tokens, width});
  const measure::MultiplyAddCounter counter;
  block(input);
  EXPECT_EQ(counter.count(), 2 * (tokens * 12 * width * width + 2 * tokens * tokens * width));
}

TEST(VisionTransformer, BlocksThatRecomputeKeepLessAndGiveTheSameGradients) {
  const Unit block("block", encoder_block(32, 2));
  const auto input = torch::randn({4, 33, 32}).requires_grad_(true);
  const auto cotangent = torch::randn_like(input);
  std::int64_t kept[2] = {0, 0};
  std::vector<torch::Tensor> gradients[2];
  for (const bool recomputes : {false, true}) {
    block.set_recomputes(recomputes);
    std::vector<torch::Tensor> sources{input};
    for (const auto& named : block.named_parameters()) sources.push_back(named.tensor);
    const auto before = measure::read_memory(torch::kCPU).live;
    const auto output = block.forward(input);
    kept[recomputes] = measure::read_memory(torch::kCPU).live - before;
    gradients[recomputes] = torch::autograd::grad({output}, sources, {cotangent});
  }
  // Of 16 times the tokens those of both normalisations and four of GELU go.
  EXPECT_LT(static_cast<double>(kept[1]), 0.7 * static_cast<double>(kept[0]));
  for (std::size_t i = 0; i < gradients[0].size(); ++i) {
    expect_same(gradients[1][i], gradients[0][i], "gradient " + std::to_string(i));
  }
}

TEST(VisionTransformer, BlocksCanBeCopiedAndMadeAnew) {
  const Backbone backbone = make_backbone("vit_tiny:depth=2", 10, {3, 32, 32}, 0);
  const Unit& block = backbone.units()[1];
  const auto input = torch::randn({2, 65, 192});
  const torch::NoGradGuard no_grad;
  expect_same(block.clone("copy").forward(input), block.forward(input), "a copy");
  const Unit fresh = fresh_unit(backbone, 1, "fresh", 192, 1);
  EXPECT_EQ(fresh.named_parameters().front().name, "fresh.ln_1.weight");
  EXPECT_GT(relative_difference(fresh.forward(input), block.forward(input)), 1e-2);
  expect_user_error([&] { fresh_unit(backbone, 1, "fresh", 96, 1); }, {"192", "96"});
}

}  // namespace
}  // namespace mlaan::testing

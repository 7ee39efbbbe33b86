// Layers of auxiliary nets that read sequences of tokens.
#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/nn/backbones/vision_transformer.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layers/tokens.h>
#include <mlaan/nn/loss.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

constexpr std::int64_t token_width = 8;

/// 2 × 4 patches, with or without a class token.
Backbone transformer(bool class_token) {
  VitOptions options;
  options.patch = 8;
  options.depth = 2;
  options.pool = class_token ? "class" : "mean";
  return vision_transformer("transformer", token_width, 3, {3, 16, 32}, options);
}

torch::Tensor run(const LayerTexts& texts, const torch::Tensor& input, const Backbone& backbone) {
  const torch::NoGradGuard no_grad;
  const Shape features = {input.size(1), input.size(2)};
  const BuiltLayers layers = build_layers(texts, features, backbone);
  torch::Tensor value = input;
  for (const auto& unit : layers.units) value = unit.forward(value);
  const Shape expected = output_shape_of(texts, features, backbone);
  EXPECT_EQ(value.sizes().slice(1).vec(), expected) << texts.front();
  return value;
}

TEST(Tokens, MakeAMapInTheOrderOfThePatches) {
  const auto tokens = torch::arange(2 * 9 * token_width, torch::kFloat32).view({2, 9, token_width});
  const auto map = run({"map"}, tokens, transformer(true));
  ASSERT_EQ(map.sizes(), (std::vector<std::int64_t>{2, token_width, 2, 4}));
  for (std::int64_t row = 0; row < 2; ++row) {
    for (std::int64_t column = 0; column < 4; ++column) {
      EXPECT_TRUE(torch::equal(map.select(2, row).select(2, column),
                               tokens.select(1, 1 + 4 * row + column)));
    }
  }
  expect_same(run({"map"}, tokens.slice(1, 1), transformer(false)), map, "without class token");
}

TEST(Tokens, ArePooledWithTheirNeighboursAndTheClassTokenStays) {
  const auto tokens = torch::randn({2, 9, token_width});
  const auto pooled = run({"average_pool 2x2"}, tokens, transformer(true));
  ASSERT_EQ(pooled.size(1), 1 + 2);
  expect_same(pooled.select(1, 0), tokens.select(1, 0), "class token");
  const auto map = tokens.slice(1, 1).transpose(1, 2).reshape({2, token_width, 2, 4});
  expect_close(pooled.slice(1, 1), torch::avg_pool2d(map, 2).flatten(2).transpose(1, 2), 1e-6,
               "patches");
  // What follows knows how the tokens lie that are left.
  expect_close(run({"average_pool 2x2", "map"}, tokens, transformer(true)),
               torch::avg_pool2d(map, 2), 1e-6, "map");
}

TEST(Tokens, AreReadByClassTokenOrMean) {
  const auto tokens = torch::randn({4, 9, token_width});
  const auto normalised = [](const torch::Tensor& features) {
    return torch::layer_norm(features, {token_width}, {}, {}, 1e-6);
  };
  const auto first = normalised(tokens.select(1, 0));
  const auto mean = normalised(tokens.slice(1, 1).mean(1));
  expect_close(run({"class_token"}, tokens, transformer(true)), first, 1e-5, "class token");
  expect_close(run({"mean_token"}, tokens, transformer(true)), mean, 1e-5, "mean");
  expect_close(run({"mean_token"}, tokens.slice(1, 1), transformer(false)), mean, 1e-5, "mean");
  const auto reads_class = [&](const LayerTexts& texts) {
    torch::manual_seed(3);
    const auto expected = run(texts, tokens, transformer(true));
    auto other = tokens.clone();
    other.slice(1, 1).add_(1);
    torch::manual_seed(3);
    return torch::equal(run(texts, other, transformer(true)), expected);
  };
  EXPECT_TRUE(reads_class({"linear 3"}));
  EXPECT_TRUE(reads_class({"hidden 5"}));
  EXPECT_FALSE(reads_class({"transformer", "linear 3"}));
}

TEST(Tokens, AreProjectedAndGroupedOneByOne) {
  const auto tokens = torch::randn({2, 9, token_width});
  EXPECT_EQ(run({"project 5"}, tokens, transformer(true)).sizes(),
            (std::vector<std::int64_t>{2, 9, 5}));
  expect_close(run({"group 2"}, tokens, transformer(true)),
               (tokens.slice(2, 0, token_width, 2) + tokens.slice(2, 1, token_width, 2)) / 2, 1e-6,
               "group");
  EXPECT_EQ(run({"flatten", "dense 6"}, tokens, transformer(true)).size(1), 6);
}

TEST(Tokens, AreReadByCopiesOfBlocks) {
  const Backbone backbone = transformer(true);
  const std::string block = backbone.units()[2].name();
  const auto tokens = torch::randn({2, 9, token_width});
  const torch::NoGradGuard no_grad;
  expect_same(run({"leap " + block}, tokens, backbone), backbone.units()[2].forward(tokens),
              "a copy");
  expect_same(run({"leap " + block + " twin 0.9"}, tokens, backbone),
              backbone.units()[2].forward(tokens) * 2, "a copy and a twin");
  EXPECT_EQ(
      run({"average_pool 2x2", "group 2", "leap " + block + " narrow 2 twin 0.9"}, tokens, backbone)
          .sizes(),
      (std::vector<std::int64_t>{2, 3, token_width / 2}));
  EXPECT_EQ(run({"fresh " + block + " twin 0.9"}, tokens, backbone).sizes(), tokens.sizes());
}

TEST(Tokens, HeadsOfEveryKindReadThem) {
  const auto tokens = torch::randn({5, 9, token_width});
  for (const bool class_token : {true, false}) {
    const Backbone backbone = transformer(class_token);
    for (const char* type : {"linear", "1c2f", "0c1f", "2c1f", "mlp", "mlp-sr", "cnn"}) {
      for (const char* token : {"mean", "class"}) {
        if (!class_token && token == std::string("class")) continue;
        const auto input = class_token ? tokens : tokens.slice(1, 1);
        const auto texts =
            head_layers({type, 8, 1, token}, {input.size(1), token_width}, 4, {token_width, 2, 4});
        EXPECT_EQ(run(texts, input, backbone).sizes(), (std::vector<std::int64_t>{5, 4})) << type;
      }
    }
  }
  EXPECT_EQ(head_layers({"1c2f", 128, 1}, {9, token_width}, 4),
            (LayerTexts{"transformer", "mean_token", "hidden 128", "linear 4"}));
}

TEST(Tokens, OfOthersNetsAreTakenForASquare) {
  using torch::nn::AnyModule;
  const Unit head("head", {{"", AnyModule(torch::nn::Flatten())},
                           {"head", AnyModule(torch::nn::Linear(9 * token_width, 3))}});
  const Backbone backbone("other", {Unit("one", torch::nn::Linear(token_width, token_width))},
                          {head}, {9, token_width});
  const auto layout = [&](std::int64_t tokens) { return token_layout_of({tokens, 4}, backbone); };
  EXPECT_EQ(layout(9).rows, 3);
  EXPECT_FALSE(layout(9).class_token);
  EXPECT_EQ(layout(17).columns, 4);
  EXPECT_TRUE(layout(17).class_token);
  expect_user_error([&] { layout(7); }, {"7 tokens", "set_token_layout"});
}

TEST(Tokens, MayHaveSeveralBeforeThePatches) {
  Backbone backbone = transformer(true);
  backbone.set_token_layout({2, 4, 3});
  const auto tokens = torch::randn({2, 11, token_width});
  const auto patches = tokens.slice(1, 3);
  const auto map = patches.transpose(1, 2).reshape({2, token_width, 2, 4});
  expect_same(run({"map"}, tokens, backbone), map, "map");
  const auto pooled = run({"average_pool 2x2"}, tokens, backbone);
  ASSERT_EQ(pooled.size(1), 3 + 2);
  expect_same(pooled.slice(1, 0, 3), tokens.slice(1, 0, 3), "the tokens before the patches");
  expect_close(pooled.slice(1, 3), torch::avg_pool2d(map, 2).flatten(2).transpose(1, 2), 1e-6,
               "patches");
  expect_close(run({"mean_token"}, tokens, backbone),
               torch::layer_norm(patches.mean(1), {token_width}, {}, {}, 1e-6), 1e-5, "mean");
  EXPECT_EQ(token_layout_of({8, token_width}, backbone).prefix, 0) << "before they are added";
  expect_user_error(
      [&] {
        token_layout_of({9, token_width}, backbone);
      },
      {"9 tokens", "2×4 patches", "3 other tokens"});
  backbone.set_token_layout({2, 4, 3, /*class_token=*/false});
  expect_user_error(
      [&] {
        build_layers({"class_token"}, {11, token_width}, backbone);
      },
      {"no class token"});
}

TEST(Tokens, WhatCannotReadThemSaysSo) {
  const auto refuse = [](const std::string& text, const std::vector<std::string>& parts) {
    expect_user_error([&] { build_layers({text}, {9, token_width}, transformer(true)); }, parts);
  };
  refuse("conv 3x3 8", {"conv 3x3 8", "9×8", "put 'map' before it"});
  refuse("dense 8", {"dense 8", "9×8", "flatten"});
  refuse("batch_norm", {"batch_norm", "9×8"});
  refuse("average_pool 3x3", {"3x3", "2×4"});
  refuse("transformer heads 3", {"width 8", "3 heads"});
  expect_user_error(
      [] {
        build_layers({"class_token"}, {8, token_width}, transformer(false));
      },
      {"class_token", "no class token"});
  expect_user_error(
      [] {
        build_layers({"transformer"}, {8, 4, 4}, transformer(false));
      },
      {"transformer", "8×4×4"});
  expect_user_error(
      [] {
        token_layout_of({5, token_width}, transformer(true));
      },
      {"5 tokens", "2×4"});
}

TEST(Tokens, SimilarityIsOfTheFeaturesDeviationsOverTokens) {
  const auto tokens = torch::randn({6, 9, token_width});
  const auto maps = tokens.transpose(1, 2).reshape({6, token_width, 3, 3});
  expect_close(similarity_matrix(tokens), similarity_matrix(maps), 1e-5, "as of the same map");
}

}  // namespace
}  // namespace mlaan::testing

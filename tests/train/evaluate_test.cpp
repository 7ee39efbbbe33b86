#include "support/closeness.h"

#include <mlaan/data/in_memory.h>
#include <mlaan/train/evaluate.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <numeric>

namespace mlaan::testing {
namespace {

/// A loader of images of one pixel, whose value is the image's number.
std::unique_ptr<Loader> loader_of(const std::vector<std::int64_t>& labels) {
  const auto count = static_cast<std::int64_t>(labels.size());
  const auto images = torch::arange(count).to(torch::kUInt8).view({count, 1, 1, 1});
  std::vector<std::int64_t> indices(labels.size());
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  LoaderOptions options;
  options.batch_size = 2;
  options.workers = 0;
  return std::make_unique<Loader>(std::make_shared<InMemoryDataset>(images, labels), indices,
                                  Transform({{0.0}, {1.0 / 255}}), options);
}

/// Gives image i the i-th row.
Predictor rows(const torch::Tensor& logits) {
  return [logits](const torch::Tensor& images) {
    return logits.index_select(0, images.flatten().round().to(torch::kInt64));
  };
}

TEST(Evaluate, CountsFirstAndFirstFiveChoices) {
  // Of seven classes; the choices of each image in order.
  const std::vector<std::vector<std::int64_t>> choices{{0, 1, 2, 3, 4, 5, 6},
                                                       {1, 0, 2, 3, 4, 5, 6},
                                                       {1, 2, 3, 4, 5, 6, 0},
                                                       {3, 6, 2, 1, 4, 5, 0},
                                                       {2, 3, 4, 5, 6, 0, 1}};
  const std::vector<std::int64_t> labels{0, 0, 0, 3, 1};
  torch::Tensor logits = torch::empty({5, 7});
  for (std::int64_t i = 0; i < 5; ++i) {
    for (std::int64_t rank = 0; rank < 7; ++rank) {
      logits[i][choices[static_cast<std::size_t>(i)][static_cast<std::size_t>(rank)]] =
          static_cast<float>(-rank);
    }
  }
  const Score score = evaluate(rows(logits), *loader_of(labels));
  EXPECT_EQ(score.images, 5);
  EXPECT_DOUBLE_EQ(score.error, 60);
  EXPECT_DOUBLE_EQ(score.error_top5, 40);
  ASSERT_EQ(score.classes.size(), 7U);
  EXPECT_EQ(score.classes[0].images, 3);
  EXPECT_NEAR(score.classes[0].error, 200.0 / 3, 1e-9);
  EXPECT_NEAR(score.classes[0].error_top5, 100.0 / 3, 1e-9);
  EXPECT_EQ(score.classes[0].mistaken_for, 1);
  EXPECT_DOUBLE_EQ(score.classes[3].error, 0);
  EXPECT_EQ(score.classes[3].mistaken_for, -1);
  EXPECT_EQ(score.classes[1].mistaken_for, 2);
  EXPECT_TRUE(std::isnan(score.classes[6].error)) << "of no image";
}

TEST(Evaluate, FiveChoicesOfFewerClassesAreAlwaysRight) {
  const Score score =
      evaluate(rows(torch::tensor({{1.0F, 0.0F}, {1.0F, 0.0F}})), *loader_of({0, 1}));
  EXPECT_DOUBLE_EQ(score.error, 50);
  EXPECT_DOUBLE_EQ(score.error_top5, 0);
}

TEST(Evaluate, StopsBetweenBatchesWhenAsked) {
  const auto loader = loader_of({0, 1});
  const auto predict = rows(torch::tensor({{1.0F, 0.0F}, {1.0F, 0.0F}}));
  EXPECT_FALSE(evaluate(predict, *loader, [] { return false; }).stopped);
  const Score score = evaluate(predict, *loader, [] { return true; });
  EXPECT_TRUE(score.stopped);
  EXPECT_EQ(score.images, 0);
}

TEST(Evaluate, SaysNothingOfNoImages) {
  const Score score = evaluate(rows(torch::zeros({1, 2})), *loader_of({}));
  EXPECT_EQ(score.images, 0);
  EXPECT_TRUE(std::isnan(score.error));
  EXPECT_TRUE(std::isnan(score.error_top5));
  EXPECT_TRUE(score.classes.empty());
}

TEST(Evaluate, FlipsAverageWhatIsSaidOfPictureAndMirror) {
  // Of a picture of two pixels (a, b): 10·a + b and a.
  const auto said = [](const torch::Tensor& images) {
    const auto left = images.select(-1, 0).flatten();
    const auto right = images.select(-1, 1).flatten();
    return torch::stack({10 * left + right, left}, 1);
  };
  const auto images = torch::tensor({1.0F, 3.0F, 5.0F, 2.0F}).view({2, 1, 1, 2});
  expect_same(at_test_time(Predictor(said), "none")(images),
              torch::tensor({{13.0F, 1.0F}, {52.0F, 5.0F}}), "as they are");
  const auto expected = torch::tensor({{22.0F, 2.0F}, {38.5F, 3.5F}});
  expect_same(at_test_time(Predictor(said), "flip")(images), expected, "averaged");
  const MultiPredictor twice = [&](const torch::Tensor& batch) {
    return std::vector<torch::Tensor>{said(batch), -said(batch)};
  };
  const auto outputs = at_test_time(twice, "flip")(images);
  ASSERT_EQ(outputs.size(), 2U);
  expect_same(outputs[0], expected, "first output");
  expect_same(outputs[1], -expected, "second output");
}

}  // namespace
}  // namespace mlaan::testing

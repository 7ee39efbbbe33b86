// Mixup and CutMix: shares, regions, labels, and that workers do not matter.
#include "support/closeness.h"
#include "support/configured.h"
#include "support/errors.h"

#include <mlaan/data/loader.h>
#include <mlaan/data/mix.h>
#include <mlaan/data/procedural.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <set>

namespace mlaan::testing {
namespace {

constexpr std::int64_t mixed_classes = 10;

MixRecipe mixup_only() {
  MixRecipe recipe;
  recipe.mixup_alpha = 0.8;
  return recipe;
}

MixRecipe cutmix_only() {
  MixRecipe recipe;
  recipe.cutmix_alpha = 1;
  return recipe;
}

MixRecipe both() {
  MixRecipe recipe = mixup_only();
  recipe.cutmix_alpha = 1;
  return recipe;
}

/// Each sample of a value of its own, its label as well.
Batch numbered_batch(std::int64_t size, torch::MemoryFormat format) {
  const auto images =
      torch::arange(size, torch::kFloat32).view({size, 1, 1, 1}).repeat({1, 3, 16, 20});
  return {images.contiguous(format), torch::arange(size) % mixed_classes};
}

Batch mixed(Batch batch, const MixRecipe& recipe, std::uint64_t key) {
  mix(batch, mixed_classes, recipe, 0, random_key({key}));
  return batch;
}

/// λ, by the label of the first of the samples of numbered_batch(4).
double share_of(const Batch& batch) {
  return batch.labels[0][0].item<double>();
}

TEST(Mix, MixupIsTheWeightedMeanOfPicturesAndLabels) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    for (std::uint64_t key = 0; key < 20; ++key) {
      torch::manual_seed(key);
      Batch batch{torch::randn({5, 3, 6, 7}).contiguous(format), torch::tensor({4, 3, 3, 0, 9})};
      const auto before = batch.images.clone();
      const Batch result = mixed(batch, mixup_only(), key);
      const double share = result.labels[0][4].item<double>();
      expect_close(result.images, share * before + (1 - share) * before.flip(0), 1e-6, "images");
      const auto one_hot = torch::one_hot(torch::tensor({4, 3, 3, 0, 9}), mixed_classes);
      expect_close(result.labels, share * one_hot + (1 - share) * one_hot.flip(0), 1e-6, "labels");
      EXPECT_TRUE(result.images.is_contiguous(format));
    }
  }
}

TEST(Mix, CutMixTakesARegionOfTheOtherAndItsShareOfTheLabel) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    for (std::uint64_t key = 0; key < 50; ++key) {
      const Batch result = mixed(numbered_batch(4, format), cutmix_only(), key);
      const auto foreign = result.images[0] == 3;
      EXPECT_TRUE((foreign.logical_or(result.images[0] == 0)).all().item<bool>());
      EXPECT_TRUE(torch::equal(result.images[3] == 0, foreign)) << "the other gets the same region";
      EXPECT_TRUE(torch::equal(result.images[1] == 2, foreign))
          << "every sample has the same region";
      EXPECT_TRUE(torch::equal(foreign[0], foreign[2]));
      const auto area = foreign[0].sum().item<std::int64_t>();
      EXPECT_EQ(foreign[0].any(1).sum().item<std::int64_t>() *
                    foreign[0].any(0).sum().item<std::int64_t>(),
                area)
          << "a rectangle";
      EXPECT_NEAR(1 - share_of(result), static_cast<double>(area) / 320, 1e-6)
          << "counted after the region was cut at the edges";
      EXPECT_NEAR(result.labels[0][3].item<double>(), static_cast<double>(area) / 320, 1e-6);
    }
  }
}

TEST(Mix, RegionsAreOfTheShareAskedForUnlessTheEdgesCutThem) {
  RandomStream random(3);
  int whole = 0;
  for (int i = 0; i < 300; ++i) {
    const Region region = cutmix_box(100, 200, 0.84, random);
    EXPECT_GE(region.left, 0);
    EXPECT_GE(region.top, 0);
    EXPECT_LE(region.left + region.width, 200);
    EXPECT_LE(region.top + region.height, 100);
    EXPECT_LE(region.width * region.height, 3200);
    if (region.width * region.height >= 3200 - 200) ++whole;
  }
  EXPECT_NEAR(whole, 300 * 0.6 * 0.6, 40);
  EXPECT_EQ(cutmix_box(8, 8, 1, random).width, 0);
  EXPECT_LE(cutmix_box(8, 8, 0, random).width, 8);
}

TEST(Mix, SharesFollowTheBetaDistribution) {
  const MixRecipe recipe = mixup_only();
  double sum = 0;
  double squares = 0;
  constexpr int count = 3000;
  for (std::uint64_t key = 0; key < count; ++key) {
    Batch batch{torch::zeros({2, 1, 1, 1}), torch::tensor({0, 1})};
    const double share = share_of(mixed(batch, recipe, key));
    sum += share;
    squares += share * share;
  }
  const double mean = sum / count;
  EXPECT_NEAR(mean, 0.5, 0.02);
  EXPECT_NEAR(squares / count - mean * mean, 1 / (4 * (2 * 0.8 + 1)), 0.005);
}

TEST(Mix, ChanceDecidesBetweenTheTwoAndNothing) {
  MixRecipe recipe = both();
  recipe.probability = 0.5;
  recipe.switch_probability = 0.2;
  int cut = 0;
  int blended = 0;
  constexpr int count = 1000;
  for (std::uint64_t key = 0; key < count; ++key) {
    const Batch result = mixed(numbered_batch(4, torch::MemoryFormat::Contiguous), recipe, key);
    if (result.labels.scalar_type() == torch::kInt64) {
      EXPECT_EQ(result.images[3].min().item<float>(), 3) << "not touched";
      continue;
    }
    const auto values = result.images[0];
    const bool of_either = (values == 0).logical_or(values == 3).all().item<bool>();
    ++(of_either ? cut : blended);
  }
  EXPECT_NEAR(cut, count * 0.1, 35);
  EXPECT_NEAR(blended, count * 0.4, 60);
}

TEST(Mix, EndsAfterTheEpochAskedFor) {
  MixRecipe recipe = both();
  recipe.off_epoch = 3;
  Batch batch = numbered_batch(4, torch::MemoryFormat::Contiguous);
  mix(batch, mixed_classes, recipe, 3, 1);
  EXPECT_EQ(batch.labels.scalar_type(), torch::kInt64);
  mix(batch, mixed_classes, recipe, 2, 1);
  EXPECT_EQ(batch.labels.scalar_type(), torch::kFloat32);
}

TEST(Mix, ClassesThatAreNoneAreRefused) {
  Batch batch{torch::zeros({2, 1, 1, 1}), torch::tensor({0, 10})};
  expect_user_error([&] { mix(batch, mixed_classes, mixup_only(), 0, 1); }, {"class 10", "0 to 9"});
}

std::vector<Batch> batches_of(std::int64_t workers, std::int64_t first_batch) {
  const Settings config = configured(
      {"procedural.train_size=60", "batch_size=8", "augment.mixup=0.8", "augment.cutmix=1",
       "augment.random_augment=2", "augment.erase=0.5", "augment.brightness=0.4", "augment.hue=0.1",
       "workers=" + std::to_string(workers)});
  const DataSource data = make_data(config);
  const auto loader = make_train_loader(config, data, all_indices(*data.train));
  std::vector<Batch> batches;
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    loader->start(epoch, first_batch);
    while (auto batch = loader->next()) {
      batches.push_back({batch->images.clone(), batch->labels.clone()});
    }
  }
  return batches;
}

TEST(Mix, NeitherWorkersNorTheBatchBegunWithMatter) {
  const auto expected = batches_of(0, 0);
  ASSERT_EQ(expected.size(), 14U);
  std::set<double> shares;
  for (const auto& batch : expected) shares.insert(batch.labels[0].max().item<double>());
  EXPECT_GT(shares.size(), 10U) << "every batch draws anew";
  for (const std::int64_t workers : {1, 3}) {
    const auto batches = batches_of(workers, 0);
    ASSERT_EQ(batches.size(), expected.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      expect_same(batches[i].images, expected[i].images, "images " + std::to_string(i));
      expect_same(batches[i].labels, expected[i].labels, "labels " + std::to_string(i));
    }
  }
  const auto late = batches_of(2, 5);
  ASSERT_EQ(late.size(), 4U);
  expect_same(late[1].images, expected[6].images, "the last of the first epoch");
  expect_same(late[3].labels, expected[13].labels, "the last of the second epoch");
}

}  // namespace
}  // namespace mlaan::testing

#include "support/errors.h"

#include <mlaan/core/random.h>
#include <mlaan/data/loader.h>
#include <mlaan/data/procedural.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <set>

namespace mlaan::testing {
namespace {

TEST(Procedural, ImagesArePureFunctionsOfTheIndex) {
  const DataSource first = procedural();
  const DataSource second = procedural();
  for (const std::int64_t index : {0, 17, 399}) {
    EXPECT_TRUE(torch::equal(first.train->get(index).image, second.train->get(index).image));
    EXPECT_FALSE(torch::equal(first.train->get(index).image, first.test->get(index).image));
  }
  EXPECT_FALSE(torch::equal(first.train->get(0).image, first.train->get(10).image));
}

TEST(Procedural, ClassesAreBalancedAndNamed) {
  ProceduralOptions options;
  options.train_size = 50;
  const DataSource data = procedural(options);
  std::vector<int> counts(10, 0);
  for (std::int64_t i = 0; i < data.train->size(); ++i) {
    ++counts.at(static_cast<std::size_t>(data.train->get(i).label));
  }
  EXPECT_EQ(counts, std::vector<int>(10, 5));
  EXPECT_EQ(data.classes.front(), "striped disk");
  EXPECT_EQ(data.classes.back(), "checked cross");
}

TEST(Procedural, OtherSidesShowTheSamePictures) {
  ProceduralOptions options;
  options.side = 64;
  const DataSource small = procedural();
  const DataSource large = procedural(options);
  EXPECT_EQ(large.image_shape, (Shape{3, 64, 64}));
  const auto difference = [&](std::int64_t left, std::int64_t right) {
    const auto reduced = torch::avg_pool2d(large.train->get(left).image.to(torch::kFloat32), 2);
    return (reduced - small.train->get(right).image).abs().mean().item<double>();
  };
  for (const std::int64_t index : {0, 3, 8}) {
    EXPECT_LT(difference(index, index), 12);  // the noise of single pixels
    EXPECT_GT(difference(index, index + 10), 25);
  }
}

/// An image whose pixel values tell where they came from: row · 16 + column.
torch::Tensor numbered_image() {
  return torch::arange(64).view({1, 8, 8}).to(torch::kUInt8);
}

const Normalisation identity{{0.0}, {1.0 / 255}};

torch::Tensor apply(const Transform& transform, std::uint64_t key) {
  const auto target = torch::empty({1, 8, 8});
  transform.apply(numbered_image(), target, key);
  return target;
}

TEST(Transform, NormalisesByMeanAndDeviation) {
  const Transform transform({{0.5}, {0.25}});
  const auto target = torch::empty({1, 8, 8});
  transform.apply(numbered_image(), target, 0);
  EXPECT_NEAR(target[0][1][2].item<double>(), (10.0 / 255 - 0.5) / 0.25, 1e-6);
}

TEST(Transform, CropsShiftTheImageAndReflectItsEdges) {
  CropRecipe crop;
  crop.padding = 2;
  const Transform transform(identity, crop);
  std::set<std::pair<int, int>> shifts;
  for (std::uint64_t key = 0; key < 300; ++key) {
    const auto result = apply(transform, key).to(torch::kInt64);
    const auto centre = result[0][4][4].item<std::int64_t>();
    const auto down = static_cast<int>(centre / 8) - 4;
    const auto right = static_cast<int>(centre % 8) - 4;
    shifts.emplace(down, right);
    const auto reflected = [](int position) {
      return position < 0 ? -position : position > 7 ? 14 - position : position;
    };
    for (const int row : {0, 7}) {
      for (const int column : {0, 7}) {
        EXPECT_EQ(result[0][row][column].item<std::int64_t>(),
                  8 * reflected(row + down) + reflected(column + right));
      }
    }
  }
  EXPECT_EQ(shifts.size(), 25U) << "every shift from −2 to 2 in both directions";
}

TEST(Transform, ZeroPaddingIsANormalisedBlackPixel) {
  CropRecipe crop;
  crop.padding = 2;
  crop.padding_mode = PaddingMode::zero;
  const Transform transform({{0.5}, {0.5}}, crop);
  bool seen = false;
  for (std::uint64_t key = 0; key < 50; ++key) {
    const auto result = apply(transform, key);
    seen = seen || result[0][0][0].item<double>() == -1.0;
    EXPECT_GE(result.min().item<double>(), -1.0);
  }
  EXPECT_TRUE(seen);
}

TEST(Transform, FlipsHalfOfTheImages) {
  CropRecipe crop;
  crop.flip = true;
  const Transform transform(identity, crop);
  int flipped = 0;
  for (std::uint64_t key = 0; key < 400; ++key) {
    const auto first = std::lround(apply(transform, key)[0][0][0].item<double>());
    EXPECT_TRUE(first == 0 || first == 7);
    if (first == 7) ++flipped;
  }
  EXPECT_NEAR(flipped, 200, 50);
}

TEST(Transform, WritesAnyMemoryFormat) {
  const DataSource data = procedural();
  const Transform transform(data.normalisation, data.crop);
  const auto plain = torch::empty({1, 3, 32, 32});
  const auto last =
      torch::empty({1, 3, 32, 32}, torch::TensorOptions(), torch::MemoryFormat::ChannelsLast);
  transform.apply(data.train->get(4).image, plain[0], 9);
  transform.apply(data.train->get(4).image, last[0], 9);
  EXPECT_TRUE(torch::equal(plain, last));
}

class LoaderTest : public ::testing::Test {
 protected:
  std::unique_ptr<Loader> make(std::int64_t workers, bool shuffle = true,
                               const Shape& unread_shape = {}) const {
    LoaderOptions options;
    options.unread_shape = unread_shape;
    options.batch_size = 8;
    options.workers = workers;
    options.shuffle = shuffle;
    options.drop_last = shuffle;
    options.seed = 3;
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < 30; ++i) indices.push_back(i);
    return std::make_unique<Loader>(data.train, indices, Transform(data.normalisation, data.crop),
                                    options);
  }

  static std::vector<Batch> all(Loader& loader, std::int64_t epoch, std::int64_t first = 0) {
    std::vector<Batch> batches;
    loader.start(epoch, first);
    while (auto batch = loader.next()) batches.push_back(*batch);
    return batches;
  }

  DataSource data = procedural();
};

TEST_F(LoaderTest, BatchesDoNotDependOnTheNumberOfWorkers) {
  const auto alone = all(*make(0), 2);
  ASSERT_EQ(alone.size(), 3U);
  for (const std::int64_t workers : {1, 2, 5}) {
    const auto loader = make(workers);
    const auto batches = all(*loader, 2);
    ASSERT_EQ(batches.size(), alone.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      EXPECT_TRUE(torch::equal(batches[i].images, alone[i].images));
      EXPECT_TRUE(torch::equal(batches[i].labels, alone[i].labels));
    }
  }
}

TEST_F(LoaderTest, LabelsAreThoseOfThePicturesThatAreNotRead) {
  const auto read = all(*make(0), 2);
  for (const std::int64_t workers : {0, 2}) {
    const auto loader = make(workers, /*shuffle=*/true, data.image_shape);
    const auto batches = all(*loader, 2);
    ASSERT_EQ(batches.size(), read.size());
    for (std::size_t i = 0; i < batches.size(); ++i) {
      EXPECT_TRUE(torch::equal(batches[i].labels, read[i].labels));
      EXPECT_TRUE(torch::equal(batches[i].indices, read[i].indices));
      EXPECT_EQ(batches[i].images.sizes(), read[i].images.sizes());
      EXPECT_EQ(batches[i].images.storage().nbytes(), sizeof(float));
    }
  }
}

TEST_F(LoaderTest, EpochsDifferAndCanBeginInTheMiddle) {
  const auto loader = make(2);
  const auto epoch0 = all(*loader, 0);
  const auto epoch1 = all(*loader, 1);
  EXPECT_FALSE(torch::equal(epoch0[0].images, epoch1[0].images));
  const auto rest = all(*loader, 0, 2);
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_TRUE(torch::equal(rest[0].images, epoch0[2].images));
}

TEST_F(LoaderTest, StartDropsWhatWasPreparedBefore) {
  const auto loader = make(3);
  const auto expected = all(*loader, 5);
  for (int i = 0; i < 20; ++i) {
    loader->start(i);
    loader->next();
  }
  const auto batches = all(*loader, 5);
  for (std::size_t i = 0; i < batches.size(); ++i) {
    EXPECT_TRUE(torch::equal(batches[i].images, expected[i].images));
  }
}

TEST_F(LoaderTest, WithoutShufflingGivesAllSamplesInOrder) {
  const auto loader = make(1, /*shuffle=*/false);
  EXPECT_EQ(loader->batches_per_epoch(), 4);
  EXPECT_EQ(loader->samples_per_epoch(), 30);
  const auto batches = all(*loader, 0);
  EXPECT_EQ(batches.back().labels.size(0), 6);
  EXPECT_EQ(batches[1].labels[0].item<std::int64_t>(), 8 % 10);
}

TEST_F(LoaderTest, CountsItsMemoryAsData) {
  const auto before = measure::read_memory(torch::kCPU);
  const auto loader = make(2);
  const auto batches = all(*loader, 0);
  const auto after = measure::read_memory(torch::kCPU);
  EXPECT_EQ(after.live, before.live);
  const auto data_kind = static_cast<std::size_t>(measure::MemoryKind::data);
  EXPECT_GT(after.live_by_kind.at(data_kind), before.live_by_kind.at(data_kind));
}

class Broken final : public Dataset {
 public:
  std::int64_t size() const override { return 30; }
  Sample get(std::int64_t index) const override {
    if (index == 3) throw UserError("image 3 is broken");
    return {torch::zeros({1, 2, 2}, torch::kUInt8), 0};
  }
};

TEST(Loader, ErrorsOfWorkersReachTheCaller) {
  LoaderOptions options;
  options.batch_size = 2;
  options.workers = 2;
  Loader loader(std::make_shared<Broken>(), {0, 1, 2, 3, 4, 5}, Transform(identity), options);
  loader.start(0);
  EXPECT_TRUE(loader.next().has_value());
  expect_user_error([&] { loader.next(); }, {"image 3 is broken"});
}

TEST(Split, ValidationIsHeldOutAndTheLimitTakesTheFirstOfTheShuffled) {
  const Split whole = split_training_set(100, 0.2, 0, 5);
  EXPECT_EQ(whole.train.size(), 80U);
  EXPECT_EQ(whole.validation.size(), 20U);
  std::set<std::int64_t> seen(whole.train.begin(), whole.train.end());
  seen.insert(whole.validation.begin(), whole.validation.end());
  EXPECT_EQ(seen.size(), 100U);
  const Split limited = split_training_set(100, 0.2, 30, 5);
  EXPECT_EQ(limited.validation, whole.validation);
  ASSERT_EQ(limited.train.size(), 30U);
  EXPECT_TRUE(std::equal(limited.train.begin(), limited.train.end(), whole.train.begin()));
  EXPECT_NE(split_training_set(100, 0.2, 0, 6).train, whole.train);
}

}  // namespace
}  // namespace mlaan::testing

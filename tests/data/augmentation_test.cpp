// Colour jitter, RandAugment and random erasing: what they draw, and how often.
#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/data/adjust.h>
#include <mlaan/data/procedural.h>
#include <mlaan/data/transform.h>
#include <mlaan/data/warp.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

torch::Tensor some_picture() {
  return procedural().train->get(3).image;
}

torch::Tensor flat_picture(int red, int green, int blue) {
  return torch::tensor({red, green, blue}).to(torch::kUInt8).view({3, 1, 1}).repeat({1, 8, 8});
}

std::vector<int> colour_of(const torch::Tensor& picture) {
  std::vector<int> colour;
  for (std::int64_t c = 0; c < 3; ++c) colour.push_back(picture[c][4][4].item<int>());
  return colour;
}

TEST(Adjust, FactorsBlendWithWhatLacksTheProperty) {
  const auto picture = flat_picture(200, 100, 50);
  EXPECT_EQ(colour_of(adjust_brightness(picture, 0.5)), (std::vector<int>{100, 50, 25}));
  EXPECT_EQ(colour_of(adjust_brightness(picture, 2)), (std::vector<int>{255, 200, 100}));
  const int grey = 124;  // 0.2989 · 200 + 0.587 · 100 + 0.114 · 50 = 124.18
  EXPECT_EQ(colour_of(adjust_saturation(picture, 0)), (std::vector<int>{grey, grey, grey}));
  EXPECT_EQ(colour_of(adjust_contrast(picture, 0)), (std::vector<int>{grey, grey, grey}));
  const auto some = some_picture();
  for (const auto& adjust :
       {adjust_brightness, adjust_contrast, adjust_saturation, adjust_sharpness}) {
    EXPECT_TRUE(torch::equal(adjust(some, 1), some));
  }
}

TEST(Adjust, HueGoesRoundTheCircle) {
  const auto red = flat_picture(255, 0, 0);
  EXPECT_EQ(colour_of(adjust_hue(red, 1.0 / 3)), (std::vector<int>{0, 255, 0}));
  EXPECT_EQ(colour_of(adjust_hue(red, -1.0 / 3)), (std::vector<int>{0, 0, 255}));
  const auto grey = flat_picture(90, 90, 90);
  EXPECT_LE((adjust_hue(grey, 0.3).to(torch::kInt32) - 90).abs().max().item<int>(), 1);
}

TEST(Adjust, RemapsValues) {
  const auto picture = torch::arange(64).view({1, 8, 8}).to(torch::kUInt8);
  EXPECT_TRUE(torch::equal(posterize(picture, 4), picture.bitwise_and(0xf0)));
  EXPECT_TRUE(torch::equal(posterize(picture, 8), picture));
  const auto stretched = autocontrast(picture + 100);
  EXPECT_EQ(stretched.min().item<int>(), 0);
  EXPECT_EQ(stretched.max().item<int>(), 255);
  EXPECT_EQ(solarize(picture, 32)[0][0][5].item<int>(), 5);
  EXPECT_EQ(solarize(picture, 32)[0][7][7].item<int>(), 255 - 63);
  EXPECT_TRUE(torch::equal(autocontrast(flat_picture(1, 2, 3)), flat_picture(1, 2, 3)));
  EXPECT_TRUE(torch::equal(equalize(flat_picture(1, 2, 3)), flat_picture(1, 2, 3)));
}

TEST(Warp, MovesPixelsAndLeavesBlack) {
  const auto picture = torch::arange(1, 65).view({1, 8, 8}).to(torch::kUInt8);
  const auto moved = translate(picture, 2, -1);
  EXPECT_TRUE(torch::equal(moved.slice(1, 0, 7).slice(2, 2), picture.slice(1, 1).slice(2, 0, 6)));
  EXPECT_EQ(moved.slice(2, 0, 2).max().item<int>(), 0);
  EXPECT_EQ(moved.slice(1, 7).max().item<int>(), 0);
  EXPECT_TRUE(torch::equal(rotate(picture, 90), torch::rot90(picture, 1, {1, 2})));
  EXPECT_TRUE(torch::equal(rotate(picture, 0), picture));
  EXPECT_TRUE(
      torch::equal(shear_y(picture.transpose(1, 2), 0.3), shear_x(picture, 0.3).transpose(1, 2)));
}

TEST(ColourJitter, FactorsAreUniformWithinTheirRange) {
  const auto picture = flat_picture(100, 100, 100);
  const ColourJitter jitter{0.4, 0, 0, 0};
  double sum = 0;
  double squares = 0;
  constexpr int count = 2000;
  for (std::uint64_t key = 0; key < count; ++key) {
    RandomStream random(random_key({key}));
    const double factor = jitter.apply(picture, random)[0][0][0].item<int>() / 100.0;
    EXPECT_GE(factor, 0.59);
    EXPECT_LE(factor, 1.4);
    sum += factor;
    squares += factor * factor;
  }
  const double mean = sum / count;
  EXPECT_NEAR(mean, 0.995, 0.02) << "values are cut to whole numbers";
  EXPECT_NEAR(squares / count - mean * mean, 0.64 / 12, 0.005);
}

TEST(ColourJitter, IsAPureFunctionOfTheStreamAndChangesEveryPropertyItIsToldTo) {
  const auto picture = some_picture();
  for (const auto& jitter : {ColourJitter{0.4, 0, 0, 0}, ColourJitter{0, 0.4, 0, 0},
                             ColourJitter{0, 0, 0.4, 0}, ColourJitter{0, 0, 0, 0.3}}) {
    RandomStream one(5);
    RandomStream other(5);
    const auto result = jitter.apply(picture, one);
    EXPECT_TRUE(torch::equal(result, jitter.apply(picture, other)));
    EXPECT_FALSE(torch::equal(result, picture));
  }
  RandomStream random(5);
  EXPECT_TRUE(torch::equal(ColourJitter{}.apply(picture, random), picture));
}

TEST(RandomAugment, StrengthsAreThoseOfTheTable) {
  const auto strength = [](PictureOperation operation) {
    return operation_strength(operation, 9, 331, 662);
  };
  EXPECT_NEAR(strength(PictureOperation::shear_x), 0.09, 1e-12);
  EXPECT_NEAR(strength(PictureOperation::translate_x), 90, 1e-9);
  EXPECT_NEAR(strength(PictureOperation::translate_y), 45, 1e-9);
  EXPECT_NEAR(strength(PictureOperation::rotate), 9, 1e-12);
  EXPECT_NEAR(strength(PictureOperation::colour), 0.27, 1e-12);
  EXPECT_EQ(strength(PictureOperation::posterize), 7);
  EXPECT_NEAR(strength(PictureOperation::solarize), 178.5, 1e-12);
}

TEST(RandomAugment, DrawsEveryOperationAndEitherSign) {
  const auto picture = some_picture();
  std::vector<torch::Tensor> outcomes;
  for (const auto operation : picture_operations) {
    const double strength = operation_strength(operation, 20, 32, 32);
    outcomes.push_back(apply(operation, picture, strength));
    if (is_signed(operation)) outcomes.push_back(apply(operation, picture, -strength));
  }
  std::vector<int> seen(outcomes.size(), 0);
  for (std::uint64_t key = 0; key < 600; ++key) {
    RandomStream random(random_key({key}));
    const auto result = RandomAugment{1, 20}.apply(picture, random);
    int matches = 0;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      if (!torch::equal(result, outcomes[i])) continue;
      ++matches;
      ++seen[i];
    }
    EXPECT_GE(matches, 1);
  }
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_GT(seen[i], 5) << "outcome " << i;
}

TEST(RandomErasing, ErasesOneRectangleOfTheAreasAndProportionsAskedFor) {
  RandomErasing erasing;
  erasing.probability = 0.5;
  int erased = 0;
  for (std::uint64_t key = 0; key < 400; ++key) {
    const auto picture = torch::ones({3, 40, 60});
    RandomStream random(random_key({key}));
    erasing.apply(picture, random);
    const auto gone = picture[0] == 0;
    EXPECT_TRUE(torch::equal(picture[2] == 0, gone)) << "all channels alike";
    const auto area = gone.sum().item<std::int64_t>();
    if (area == 0) continue;
    ++erased;
    const auto rows = gone.any(1).sum().item<std::int64_t>();
    const auto columns = gone.any(0).sum().item<std::int64_t>();
    EXPECT_EQ(rows * columns, area) << "a rectangle";
    EXPECT_GE(static_cast<double>(area) / 2400, 0.015);
    EXPECT_LE(static_cast<double>(area) / 2400, 0.35);
    EXPECT_LE(static_cast<double>(rows) / static_cast<double>(columns), 3.8);
    EXPECT_GE(static_cast<double>(rows) / static_cast<double>(columns), 0.25);
  }
  EXPECT_NEAR(erased, 200, 45);
}

TEST(RandomErasing, WritesNoiseWhereAskedTo) {
  RandomErasing erasing;
  erasing.probability = 1;
  erasing.erasure = Erasure::noise;
  const auto picture = torch::full({3, 64, 64}, 100.0);
  RandomStream random(1);
  erasing.apply(picture, random);
  const auto noise = picture.masked_select(picture != 100.0);
  ASSERT_GT(noise.numel(), 100);
  EXPECT_NEAR(noise.mean().item<double>(), 0, 0.3);
  EXPECT_NEAR(noise.std().item<double>(), 1, 0.3);
}

TEST(Transform, AugmentsPixelsInAnyMemoryFormatAndByTheKeyAlone) {
  const DataSource data = procedural();
  PixelRecipe pixels;
  pixels.jitter = {0.4, 0.4, 0.4, 0.1};
  pixels.random_augment = {2, 9};
  pixels.erasing.probability = 1;
  const Transform transform(data.normalisation, data.crop, data.framing, pixels);
  const auto image = data.train->get(4).image;
  const auto untouched = image.clone();
  const auto plain = torch::empty({1, 3, 32, 32});
  const auto last =
      torch::empty({1, 3, 32, 32}, torch::TensorOptions(), torch::MemoryFormat::ChannelsLast);
  transform.apply(image, plain[0], 9);
  transform.apply(image, last[0], 9);
  EXPECT_TRUE(torch::equal(plain, last));
  EXPECT_TRUE(torch::equal(image, untouched)) << "the data set's picture stays as it is";
  transform.apply(image, last[0], 10);
  EXPECT_FALSE(torch::equal(plain, last));
}

TEST(Transform, ErasingDoesNotChangeWhatElseIsDrawn) {
  const DataSource data = procedural();
  PixelRecipe pixels;
  pixels.jitter = {0.4, 0.4, 0.4, 0.1};
  PixelRecipe more = pixels;
  more.erasing.probability = 1;
  const auto one = torch::empty({3, 32, 32});
  const auto other = torch::empty({3, 32, 32});
  Transform(data.normalisation, data.crop, data.framing, pixels)
      .apply(data.train->get(4).image, one, 9);
  Transform(data.normalisation, data.crop, data.framing, more)
      .apply(data.train->get(4).image, other, 9);
  EXPECT_TRUE(torch::equal(other.where(other != 0, one), one));
  EXPECT_FALSE(torch::equal(other, one));
}

}  // namespace
}  // namespace mlaan::testing

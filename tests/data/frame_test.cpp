#include <mlaan/data/frame.h>
#include <mlaan/data/resize.h>
#include <mlaan/data/transform.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

bool lies_within(const Region& region, std::int64_t width, std::int64_t height) {
  return region.left >= 0 && region.top >= 0 && region.width > 0 && region.height > 0 &&
         region.left + region.width <= width && region.top + region.height <= height;
}

TEST(Frame, TheCentreIsWhatResizingAndCroppingTheCentreKeeps) {
  const Frame frame = centre_frame(500, 400, 224, 224, 0.875);
  EXPECT_EQ(frame.region.width, 350);
  EXPECT_EQ(frame.region.height, 350);
  EXPECT_EQ(frame.region.left, 75);
  EXPECT_EQ(frame.region.top, 25);
  EXPECT_EQ(frame.width, 224);
  EXPECT_TRUE(lies_within(centre_frame(1, 900, 224, 224, 0.875).region, 1, 900));
}

TEST(Frame, RandomRegionsKeepToTheirRange) {
  RandomStream random(1);
  FrameRange range;
  range.smallest_area = 0.25;
  double smallest = 1;
  double largest = 0;
  for (int i = 0; i < 2000; ++i) {
    const Frame frame = random_frame(400, 300, 64, 64, range, random);
    ASSERT_TRUE(lies_within(frame.region, 400, 300));
    const auto width = static_cast<double>(frame.region.width);
    const auto height = static_cast<double>(frame.region.height);
    const double area = width * height / (400 * 300);
    EXPECT_LT(std::abs(std::log(width / height)), std::log(4.0 / 3) + 0.02);
    EXPECT_GT(area, 0.24);
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
  }
  EXPECT_LT(smallest, 0.27);
  EXPECT_GT(largest, 0.95);
}

TEST(Frame, PicturesThatNoRegionFitsGiveTheirMiddle) {
  RandomStream random(1);
  FrameRange range;
  range.smallest_area = 1;
  const Frame wide = random_frame(1000, 100, 64, 64, range, random);
  EXPECT_EQ(wide.region.height, 100);
  EXPECT_EQ(wide.region.width, 133);
  EXPECT_EQ(wide.region.left, 433);
  const Frame high = random_frame(3, 1000, 64, 64, range, random);
  EXPECT_EQ(high.region.width, 3);
  EXPECT_EQ(high.region.height, 4);
}

TEST(Frame, ChoosersDependOnTheirKeyAlone) {
  Framing framing;
  framing.kind = Framing::Kind::random;
  framing.width = 32;
  framing.height = 32;
  const auto left = [&](std::uint64_t key) { return framing.chooser(key)(640, 480).region.left; };
  EXPECT_EQ(left(5), left(5));
  EXPECT_NE(left(5), left(6));
}

TEST(Resize, KeepsFlatPicturesAndAveragesWhatItShrinks) {
  const auto flat = torch::full({3, 37, 53}, 77, torch::kUInt8);
  EXPECT_TRUE(torch::equal(resize(flat, {{0, 0, 53, 37}, 20, 11}),
                           torch::full({3, 11, 20}, 77, torch::kUInt8)));
  // Stripes one pixel wide: no filter as narrow as theirs may be left.
  const auto stripes = (torch::arange(64).remainder(2) * 200).to(torch::kUInt8).expand({1, 64, 64});
  const auto shrunk = resize(stripes, {{0, 0, 64, 64}, 16, 16}).to(torch::kInt64);
  const auto inside = shrunk.narrow(1, 1, 14).narrow(2, 1, 14);
  EXPECT_LT((inside - 100).abs().max().item<std::int64_t>(), 4);
}

TEST(Resize, RegionsAreCutOutBeforeTheyAreResized) {
  auto picture = torch::full({1, 40, 40}, 200, torch::kUInt8);
  picture.narrow(1, 10, 20).narrow(2, 10, 20).fill_(50);
  const auto result = resize(picture, {{10, 10, 20, 20}, 33, 7});
  EXPECT_TRUE(torch::equal(result, torch::full({1, 7, 33}, 50, torch::kUInt8)));
  EXPECT_TRUE(torch::equal(resize(picture, {{8, 10, 20, 20}, 20, 20}),
                           picture.narrow(1, 10, 20).narrow(2, 8, 20)));
}

/// A data set of one picture, larger than what is wanted of it.
class Wide final : public Dataset {
 public:
  std::int64_t size() const override { return 1; }
  Sample get(std::int64_t /*index*/) const override {
    return {torch::arange(3 * 60 * 90).remainder(251).to(torch::kUInt8).view({3, 60, 90}), 4};
  }
};

TEST(Dataset, WholePicturesAreCutUnlessADataSetDoesItItself) {
  const Wide wide;
  Framing framing;
  EXPECT_TRUE(torch::equal(wide.get_framed(0, framing.chooser(0)).image, wide.get(0).image));
  framing.kind = Framing::Kind::centre;
  framing.width = 32;
  framing.height = 32;
  const Sample sample = wide.get_framed(0, framing.chooser(0));
  EXPECT_EQ(sample.image.sizes(), (std::vector<std::int64_t>{3, 32, 32}));
  EXPECT_EQ(sample.label, 4);
}

}  // namespace
}  // namespace mlaan::testing

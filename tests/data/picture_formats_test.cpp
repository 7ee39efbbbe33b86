// What JPEG, PNG and WebP files have of their own: parts, inks, kinds of pixels, scans.
#include "support/decoded_picture.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/picture_writer.h"

#include <mlaan/core/random.h>
#include <mlaan/data/resize.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// What is left of a random part of a picture whatever was read around it.
void expect_parts_like_the_whole(const std::string& file, std::uint64_t seed) {
  const auto whole = decode(file);
  const std::int64_t height = whole.size(1);
  const std::int64_t width = whole.size(2);
  RandomStream random(seed);
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  for (int i = 0; i < 40; ++i) {
    const std::int64_t left = below(width);
    const std::int64_t top = below(height);
    const std::int64_t columns = 1 + below(width - left);
    const std::int64_t rows = 1 + below(height - top);
    const auto region = decode(file, part(left, top, columns, rows));
    ASSERT_TRUE(torch::equal(region, whole.narrow(1, top, rows).narrow(2, left, columns)))
        << columns << "×" << rows << " at " << left << ", " << top;
  }
}

TEST(Jpeg, PartsAreThoseOfTheWholePicture) {
  const auto picture = wavy_picture(3, 93, 141);
  for (const int width : {1, 2}) {
    for (const int height : {1, 2}) {
      for (const bool progressive : {false, true}) {
        JpegSettings settings;
        settings.chroma_width = width;
        settings.chroma_height = height;
        settings.progressive = progressive;
        SCOPED_TRACE(std::to_string(width) + "×" + std::to_string(height) +
                     (progressive ? " progressive" : ""));
        const auto file = jpeg_file(picture, settings);
        EXPECT_LT(mean_difference(decode(file), picture), 3);
        expect_parts_like_the_whole(file, 5);
      }
    }
  }
}

TEST(Jpeg, IsDecodedSmallerWhereLessIsWanted) {
  const auto picture = wavy_picture(3, 800, 1000);
  const auto file = jpeg_file(picture);
  for (const std::int64_t side : {400, 230, 100, 40}) {
    const Frame frame{{101, 37, 800, 700}, side, side};
    const auto small = decode(file, [&](std::int64_t, std::int64_t) { return frame; });
    EXPECT_LT(mean_difference(small, resize(picture, frame)), 2) << side;
  }
}

TEST(Jpeg, GreyIsGreyInAllColours) {
  const auto picture = wavy_picture(1, 50, 70);
  const auto decoded = decode(jpeg_file(picture));
  EXPECT_EQ(decoded.size(0), 3);
  EXPECT_LT(mean_difference(decoded, picture.expand({3, 50, 70})), 2);
  EXPECT_TRUE(torch::equal(decoded[0], decoded[2]));
}

TEST(Jpeg, InksBecomeLight) {
  const auto inks = wavy_picture(4, 40, 60);
  const auto light = [](const torch::Tensor& stored) {  // of what is 0 where the ink is fullest
    const auto values = stored.to(torch::kFloat32);
    return values.narrow(0, 0, 3) * values.narrow(0, 3, 1) / 255;
  };
  JpegSettings settings;
  EXPECT_LT(mean_difference(decode(jpeg_file(inks, settings)), light(inks)), 3);
  settings.adobe = false;
  EXPECT_LT(mean_difference(decode(jpeg_file(inks, settings)), light(255 - inks)), 3);
}

TEST(Jpeg, OfEndlessScansIsRefused) {
  JpegSettings settings;
  const auto picture = wavy_picture(1, 40, 40);
  settings.many_scans = true;
  expect_user_error([&] { decode(jpeg_file(picture, settings)); }, {"JPEG", "more than 100 scans"});
}

TEST(Png, EveryKindOfPixels) {
  const auto grey = wavy_picture(1, 33, 47);
  const auto colours = wavy_picture(3, 33, 47);
  const auto alpha = torch::arange(33 * 47).remainder(256).to(torch::kUInt8).view({1, 33, 47});
  for (const bool interlaced : {false, true}) {
    for (const int bits : {8, 16}) {
      PngSettings settings;
      settings.interlaced = interlaced;
      settings.bits = bits;
      SCOPED_TRACE(std::to_string(bits) + (interlaced ? " interlaced" : ""));
      EXPECT_TRUE(torch::equal(decode(png_file(grey, settings)), grey.expand({3, 33, 47})));
      EXPECT_TRUE(torch::equal(decode(png_file(torch::cat({grey, alpha}), settings)),
                               grey.expand({3, 33, 47})));
      EXPECT_TRUE(torch::equal(decode(png_file(colours, settings)), colours));
      EXPECT_TRUE(torch::equal(decode(png_file(torch::cat({colours, alpha}), settings)), colours));
      expect_parts_like_the_whole(png_file(colours, settings), 7);
    }
  }
  PngSettings palette;
  palette.palette = true;
  EXPECT_TRUE(torch::equal(decode(png_file(grey, palette)),
                           torch::cat({grey, 255 - grey, grey.floor_divide(2)})));
}

TEST(Webp, PartsAndSmallerPictures) {
  const auto picture = wavy_picture(3, 120, 170);
  std::string file;
  try {
    file = webp_file(picture);
  } catch (const std::runtime_error&) {
    GTEST_SKIP() << "built without WebP";
  }
  EXPECT_TRUE(torch::equal(decode(file), picture));
  expect_parts_like_the_whole(file, 3);
  EXPECT_LT(mean_difference(decode(webp_file(picture, 90)), picture), 4);
  const Frame frame{{31, 17, 99, 80}, 30, 20};
  EXPECT_LT(mean_difference(decode(file, [&](std::int64_t, std::int64_t) { return frame; }),
                            resize(picture, frame)),
            3);
}

std::string little_endian(std::size_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 255);
  return bytes;
}

std::string riff_chunk(const std::string& type, const std::string& data) {
  return type + little_endian(data.size(), 4) + data + std::string(data.size() % 2, '\0');
}

TEST(Webp, OfAMovingPictureTheFirstIsRead) {
  const auto picture = wavy_picture(3, 24, 30);
  std::string file;
  try {
    file = webp_file(picture);
  } catch (const std::runtime_error&) {
    GTEST_SKIP() << "built without WebP";
  }
  const auto frame = [&](const torch::Tensor& image, std::size_t left, std::size_t top) {
    const std::string still = webp_file(image);
    const auto width = static_cast<std::size_t>(image.size(2));
    const auto height = static_cast<std::size_t>(image.size(1));
    return riff_chunk("ANMF", little_endian(left / 2, 3) + little_endian(top / 2, 3) +
                                  little_endian(width - 1, 3) + little_endian(height - 1, 3) +
                                  little_endian(100, 3) + std::string(1, '\0') + still.substr(12));
  };
  const auto moving = [&](const std::string& frames) {
    const std::string body = "WEBP" +
                             riff_chunk("VP8X", "\x02" + std::string(3, '\0') +
                                                    little_endian(29, 3) + little_endian(23, 3)) +
                             riff_chunk("ANIM", std::string(6, '\0')) + frames;
    return "RIFF" + little_endian(body.size(), 4) + body;
  };
  const std::string two = moving(frame(picture, 0, 0) + frame(255 - picture, 0, 0));
  EXPECT_TRUE(torch::equal(decode(two), picture));
  EXPECT_TRUE(
      torch::equal(decode(two, part(7, 5, 11, 9)), picture.narrow(1, 5, 9).narrow(2, 7, 11)));
  // Where the first covers a part alone, the rest is black.
  const auto small = picture.narrow(1, 0, 10).narrow(2, 0, 12).contiguous();
  auto expected = torch::zeros_like(picture);
  expected.narrow(1, 4, 10).narrow(2, 6, 12).copy_(small);
  EXPECT_TRUE(torch::equal(decode(moving(frame(small, 6, 4))), expected));
  expect_user_error([&] { decode(moving("")); }, {"damaged WebP"});
}

}  // namespace
}  // namespace mlaan::testing

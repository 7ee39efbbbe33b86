// Pictures of any format: how they stand, what is damaged or huge, and how they are resized.
#include "support/decoded_picture.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/folders.h"
#include "support/picture_writer.h"
#include "support/python.h"
#include "support/temporary_folder.h"

#include <mlaan/data/picture.h>
#include <mlaan/data/resize.h>

#include <torch/torch.h>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include <algorithm>
#include <fstream>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

/// A picture as EXIF's orientation wants it shown.
torch::Tensor upright(const torch::Tensor& stored, int orientation) {
  switch (orientation) {
    case 2:
      return stored.flip({2});
    case 3:
      return stored.rot90(2, {1, 2});
    case 4:
      return stored.flip({1});
    case 5:
      return stored.transpose(1, 2);
    case 6:
      return stored.rot90(-1, {1, 2});
    case 7:
      return stored.transpose(1, 2).flip({1, 2});
    case 8:
      return stored.rot90(1, {1, 2});
    default:
      return stored;
  }
}

TEST(Picture, StandsUprightWhateverItsOrientation) {
  const auto stored = wavy_picture(3, 60, 90);
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    const auto expected = upright(stored, orientation);
    PngSettings png;
    png.orientation = orientation;
    JpegSettings jpeg;
    jpeg.orientation = orientation;
    jpeg.quality = 100;
    const auto exact = png_file(stored, png);
    EXPECT_TRUE(torch::equal(decode(exact), expected));
    EXPECT_TRUE(torch::equal(decode(exact, part(7, 11, 40, 30)),
                             expected.narrow(1, 11, 30).narrow(2, 7, 40)));
    const auto close = jpeg_file(stored, jpeg);
    EXPECT_LT(mean_difference(decode(close), expected), 3);
    // The chooser sees the upright picture, and the result has the size that it asked for.
    const auto small = decode(close, [&](std::int64_t width, std::int64_t height) {
      EXPECT_EQ(width, expected.size(2));
      EXPECT_EQ(height, expected.size(1));
      return Frame{{7, 11, 40, 30}, 20, 10};
    });
    EXPECT_LT(mean_difference(small, resize(expected, {{7, 11, 40, 30}, 20, 10})), 3);
  }
}

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 255);
  return bytes;
}

/// A PNG file with a chunk more, ahead of its pixels.
std::string with_chunk(const std::string& png, const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto checksum =
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size()));
  std::string file = png;
  return file.insert(png.find("IDAT") - 4, big_endian(data.size()) + body + big_endian(checksum));
}

std::string zlib_packed(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(text.data()), text.size());
  packed.resize(size);
  return packed;
}

/// EXIF data as ImageMagick 6 writes them into texts.
std::string raw_profile(int orientation) {
  const std::string exif = exif_with_orientation(orientation);
  std::string text = "\nexif\n      " + std::to_string(exif.size());
  for (std::size_t i = 0; i < exif.size(); ++i) {
    if (i % 36 == 0) text += '\n';
    text += "0123456789abcdef"[static_cast<unsigned char>(exif[i]) / 16];
    text += "0123456789abcdef"[static_cast<unsigned char>(exif[i]) % 16];
  }
  return text + "\n";
}

TEST(Png, OrientationIsReadFromTextsToo) {
  const auto stored = wavy_picture(3, 60, 90);
  const std::string png = png_file(stored);
  const std::string zero(1, '\0');
  const std::string exif = "Raw profile type exif" + zero;
  const auto turned = upright(stored, 6);
  const std::string packed = zlib_packed(raw_profile(6));
  for (const auto& file :
       {with_chunk(png, "zTXt", exif + zero + packed),
        with_chunk(png, "tEXt", exif + raw_profile(6)),
        with_chunk(png, "iTXt", exif + "\1" + zero + zero + zero + packed),
        with_chunk(png, "iTXt", exif + zero + zero + zero + zero + raw_profile(6)),
        with_chunk(png, "zTXt", "Raw profile type APP1" + zero + zero + packed)}) {
    EXPECT_TRUE(torch::equal(decode(file), turned));
  }
  const std::string other = with_chunk(png, "tEXt", "Comment" + zero + raw_profile(6));
  EXPECT_TRUE(torch::equal(decode(other), stored));
  std::string damaged = with_chunk(png, "zTXt", exif + zero + packed);
  damaged[damaged.find("IDAT") - 5] ^= 1;  // in the text's checksum
  EXPECT_TRUE(torch::equal(decode(damaged), stored));
  PngSettings settings;
  settings.orientation = 3;
  EXPECT_TRUE(
      torch::equal(decode(with_chunk(png_file(stored, settings), "zTXt", exif + zero + packed)),
                   upright(stored, 3)))
      << "an eXIf chunk comes first";
}

TEST(Png, LongTextsArePassedOver) {
  const auto stored = wavy_picture(3, 20, 30);
  const std::string zero(1, '\0');
  const std::string text(std::size_t{12} << 20, 'x');
  for (const char* name : {"Comment", "Raw profile type exif"}) {
    const std::string png = png_file(stored);
    EXPECT_TRUE(torch::equal(decode(with_chunk(png, "tEXt", name + zero + text)), stored));
    EXPECT_TRUE(torch::equal(
        decode(with_chunk(png, "zTXt", name + zero + zero + zlib_packed(text))), stored));
  }
}

TEST(Picture, WhatIsNoFileIsNotWaitedFor) {
  const TemporaryFolder folder;
  const fs::path pipe = folder / "pipe.png";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  expect_user_error([&] { read_picture(pipe); }, {"pipe.png", "not a regular file"});
  expect_user_error([&] { read_picture("/dev/zero"); }, {"/dev/zero", "not a regular file"});
  expect_user_error([&] { read_picture(folder.path()); }, {"a folder"});
  fs::create_symlink(folder / "loop.png", folder / "loop.png");
  expect_user_error([&] { read_picture(folder / "loop.png"); }, {"loop.png", "cannot be opened"});
}

void expect_damaged(const std::string& file, const std::vector<std::string>& parts) {
  expect_user_error(
      [&] {
        try {
          decode(file);
        } catch (const UserError& error) {
          EXPECT_NE(dynamic_cast<const DamagedPicture*>(&error), nullptr);
          throw;
        }
      },
      parts);
}

TEST(Picture, DamageIsNamed) {
  const auto picture = wavy_picture(3, 80, 80);
  expect_damaged("", {"empty"});
  expect_damaged("these are words", {"neither JPEG, PNG nor WebP"});
  JpegSettings progressive;
  progressive.progressive = true;
  for (const auto& file : {jpeg_file(picture), jpeg_file(picture, progressive)}) {
    expect_damaged(file.substr(0, file.size() / 2), {"damaged JPEG"});
    expect_damaged(file.substr(0, 20), {"damaged JPEG"});
  }
  const auto png = png_file(picture);
  expect_damaged(png.substr(0, png.size() / 2), {"damaged PNG", "ends early"});
  auto changed = png;
  changed[png.size() / 2] = static_cast<char>(changed[png.size() / 2] ^ 0x10);
  expect_damaged(changed, {"damaged PNG"});

  const TemporaryFolder folder;
  write_bytes(folder / "words.jpg", "these are words");
  expect_user_error([&] { read_picture(folder / "words.jpg"); }, {"words.jpg", "neither"});
  expect_user_error([&] { read_picture(folder / "nowhere.jpg"); },
                    {"nowhere.jpg", "does not exist"});
}

TEST(Picture, TruncatedWebpIsDamaged) {
  std::string file;
  try {
    file = webp_file(wavy_picture(3, 80, 80));
  } catch (const std::runtime_error&) {
    GTEST_SKIP() << "built without WebP";
  }
  expect_damaged(file.substr(0, file.size() / 2), {"damaged WebP"});
}

/// A JPEG whose header tells of other sizes.
std::string with_sizes(std::string file, int height, int width) {
  for (std::size_t i = 2; i + 9 < file.size(); ++i) {
    const auto marker = static_cast<unsigned char>(file[i + 1]);
    if (file[i] != '\xFF' || (marker != 0xC0 && marker != 0xC2)) continue;
    file[i + 5] = static_cast<char>(height >> 8);
    file[i + 6] = static_cast<char>(height & 255);
    file[i + 7] = static_cast<char>(width >> 8);
    file[i + 8] = static_cast<char>(width & 255);
    break;
  }
  return file;
}

TEST(Picture, HugeOnesAreDecodedSmallerOrRefused) {
  const auto to_a_small_one = [](std::int64_t width, std::int64_t height) {
    EXPECT_EQ(width, 20000);
    return Frame{{0, 0, width, height}, 224, 224};
  };
  const auto small = wavy_picture(3, 64, 64);
  JpegSettings settings;
  settings.progressive = true;
  const auto progressive = with_sizes(jpeg_file(small, settings), 20000, 20000);
  expect_user_error([&] { decode(progressive, to_a_small_one); }, {"too large", "20000×20000"});
  const auto baseline = with_sizes(jpeg_file(small), 20000, 20000);
  expect_user_error([&] { decode(baseline); }, {"too large"});
  // Small enough at an eighth of its size; that the file has not as many pixels comes out then.
  expect_user_error([&] { decode(baseline, to_a_small_one); }, {"damaged JPEG"});
}

/// As tests/support/pillow_reference.py writes it.
torch::Tensor read_reference(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::int64_t height = 0;
  std::int64_t width = 0;
  file >> height >> width;
  file.get();
  auto pixels = torch::empty({height, width, 3}, torch::kUInt8);
  file.read(static_cast<char*>(pixels.data_ptr()), pixels.numel());
  EXPECT_TRUE(file.good()) << path;
  return pixels.permute({2, 0, 1});
}

TEST(Picture, DecodesAndResizesAsPillowDoes) {
  std::vector<fs::path> pictures;
  for (const char* set : {"imagenet-mini/val", "imagenette224/val"}) {
    const fs::path root = shared_folder() / "data" / set;
    if (!fs::is_directory(root)) GTEST_SKIP() << "there is no " << root;
    for (const auto& item : fs::recursive_directory_iterator(root)) {
      if (item.is_regular_file()) pictures.push_back(item.path());
    }
  }
  std::sort(pictures.begin(), pictures.end());
  if (!python_runs("import PIL.Image; PIL.Image.Resampling")) {
    GTEST_SKIP() << "python3-pil is not installed";
  }
  const TemporaryFolder folder;
  std::string command = std::string(python) + " " +
                        (test_folder() / "support/pillow_reference.py").string() + " " +
                        folder.path().string();
  for (const auto& picture : pictures) command += " '" + picture.string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    SCOPED_TRACE(pictures[i].string());
    const std::string number = std::to_string(i);
    const auto whole = read_picture(pictures[i]);
    ASSERT_TRUE(torch::equal(whole, read_reference(folder / (number + ".rgb"))));
    const std::int64_t w = whole.size(2);
    const std::int64_t h = whole.size(1);
    const std::vector<Frame> frames{{{w / 10, h / 5, w * 7 / 10, h * 6 / 10}, 224, 224},
                                    {{0, 0, w, h}, 61, 97},
                                    {{w / 3, h / 4, w / 5, h / 5}, 224, 224}};
    for (std::size_t k = 0; k < frames.size(); ++k) {
      const auto reference = read_reference(folder / (number + "-" + std::to_string(k) + ".rgb"));
      const auto ours = resize(whole, frames[k]);
      const auto difference =
          (ours.to(torch::kInt32) - reference.to(torch::kInt32)).abs().flatten();
      const auto place = static_cast<std::int64_t>(0.999 * static_cast<double>(difference.numel()));
      EXPECT_LE(std::get<0>(difference.sort())[place].item<int>(), 2) << "frame " << k;
    }
  }
}

}  // namespace
}  // namespace mlaan::testing

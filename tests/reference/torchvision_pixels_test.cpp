// Adjustments and warps against torchvision's, on uint8 tensors.
#include "support/folders.h"
#include "support/python.h"
#include "support/temporary_folder.h"

#include <mlaan/core/random.h>
#include <mlaan/data/adjust.h>
#include <mlaan/data/random_augment.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>

namespace mlaan::testing {
namespace {

constexpr std::int64_t picture_height = 57;
constexpr std::int64_t picture_width = 64;

/// Smooth colours of little contrast, with noise and a few extreme pixels.
torch::Tensor picture() {
  RandomStream random(4);
  torch::Tensor image = torch::empty({3, picture_height, picture_width}, torch::kUInt8);
  auto* pixel = image.data_ptr<std::uint8_t>();
  for (std::int64_t i = 0; i < image.numel(); ++i) {
    const double smooth = 130 + 60 * std::sin(0.002 * static_cast<double>(i));
    const bool extreme = random.below(50) == 0;
    pixel[i] = extreme
                   ? static_cast<std::uint8_t>(random.below(256))
                   : static_cast<std::uint8_t>(std::clamp(smooth + 15 * random.normal(), 5., 250.));
  }
  return image;
}

struct Comparison {
  std::string name;  ///< as torchvision_pixels.py reads it
  double number;
  torch::Tensor mine;
};

std::vector<Comparison> adjustments(const torch::Tensor& image) {
  std::vector<Comparison> all;
  for (const double factor : {0.0, 0.3, 1.0, 1.7}) {
    all.push_back({"adjust_brightness", factor, adjust_brightness(image, factor)});
    all.push_back({"adjust_contrast", factor, adjust_contrast(image, factor)});
    all.push_back({"adjust_saturation", factor, adjust_saturation(image, factor)});
    all.push_back({"adjust_sharpness", factor, adjust_sharpness(image, factor)});
  }
  for (const double turn : {-0.5, -0.13, 0.0, 0.07, 0.5}) {
    all.push_back({"adjust_hue", turn, adjust_hue(image, turn)});
  }
  return all;
}

std::vector<Comparison> operations(const torch::Tensor& image) {
  const std::vector<std::string> names{
      "Identity", "ShearX",   "ShearY",    "TranslateX", "TranslateY", "Rotate",       "Brightness",
      "Color",    "Contrast", "Sharpness", "Posterize",  "Solarize",   "AutoContrast", "Equalize"};
  std::vector<Comparison> all;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto operation = picture_operations.at(i);
    for (const std::int64_t magnitude : {0, 5, 9, 16, 30}) {
      for (const double sign : {1.0, -1.0}) {
        if (sign < 0 && !is_signed(operation)) continue;
        const double strength =
            sign * operation_strength(operation, magnitude, picture_height, picture_width);
        all.push_back({names[i], strength, apply(operation, image, strength)});
      }
    }
  }
  return all;
}

/// What torchvision makes of the picture.
std::vector<torch::Tensor> torchvisions(const torch::Tensor& image,
                                        const std::vector<Comparison>& comparisons) {
  const TemporaryFolder folder;
  std::ofstream(folder / "picture", std::ios::binary)
      .write(reinterpret_cast<const char*>(image.data_ptr<std::uint8_t>()), image.numel());
  std::ostringstream command;
  command.precision(17);
  command << python << " " << (test_folder() / "reference/torchvision_pixels.py").string() << " "
          << (folder / "picture").string() << " " << picture_height << " " << picture_width;
  for (const auto& comparison : comparisons) {
    command << " " << comparison.name << "=" << comparison.number;
  }
  command << " > " << (folder / "results").string();
  EXPECT_EQ(std::system(command.str().c_str()), 0) << command.str();
  std::ifstream file(folder / "results", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<torch::Tensor> results;
  const auto size = static_cast<std::size_t>(image.numel());
  for (std::size_t i = 0; (i + 1) * size <= bytes.size(); ++i) {
    results.push_back(torch::empty_like(image));
    std::copy_n(bytes.data() + i * size, size,
                reinterpret_cast<char*>(results.back().data_ptr<std::uint8_t>()));
  }
  return results;
}

void expect_as_torchvision(const std::vector<Comparison>& comparisons, double share_elsewhere) {
  const auto expected = torchvisions(picture(), comparisons);
  ASSERT_EQ(expected.size(), comparisons.size());
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const auto difference =
        (comparisons[i].mine.to(torch::kInt32) - expected[i].to(torch::kInt32)).abs();
    EXPECT_LE(difference.gt(1).to(torch::kFloat64).mean().item<double>(), share_elsewhere)
        << comparisons[i].name << " " << comparisons[i].number << ": up to "
        << difference.max().item<int>();
  }
}

TEST(TorchvisionReference, AdjustmentsAgreeToOneGreyLevel) {
  if (!python_runs("import torchvision")) GTEST_SKIP() << "python3-torchvision is not installed";
  expect_as_torchvision(adjustments(picture()), 0);
}

TEST(TorchvisionReference, OperationsOfRandAugmentAgreeToOneGreyLevel) {
  if (!python_runs("import torchvision")) GTEST_SKIP() << "python3-torchvision is not installed";
  std::vector<Comparison> values;
  std::vector<Comparison> places;
  for (auto& comparison : operations(picture())) {
    const bool moves = comparison.name.find("Shear") == 0 || comparison.name.find("Trans") == 0 ||
                       comparison.name == "Rotate";
    (moves ? places : values).push_back(std::move(comparison));
  }
  expect_as_torchvision(values, 0);
  // Which of two pixels equally near is taken, float32 and float64 do not agree on.
  expect_as_torchvision(places, 0.01);
}

}  // namespace
}  // namespace mlaan::testing

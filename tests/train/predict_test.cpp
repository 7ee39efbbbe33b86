#include "support/errors.h"
#include "support/files.h"
#include "support/picture_writer.h"
#include "support/temporary_folder.h"

#include <mlaan/data/picture.h>
#include <mlaan/train/predict.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(Predict, GivesTheLikeliestClassesByName) {
  const auto logits = torch::tensor({{0.0F, 2.0F, 1.0F}, {5.0F, 0.0F, 0.0F}});
  const auto guesses = likeliest(logits, {"cat", "dog", "emu"}, 2);
  ASSERT_EQ(guesses.size(), 2U);
  ASSERT_EQ(guesses[0].size(), 2U);
  EXPECT_EQ(guesses[0][0].name, "dog");
  EXPECT_EQ(guesses[0][1].name, "emu");
  EXPECT_NEAR(guesses[0][0].probability, std::exp(2) / (1 + std::exp(2) + std::exp(1)), 1e-6);
  EXPECT_EQ(guesses[1][0].name, "cat");
  EXPECT_EQ(likeliest(logits, {"cat", "dog", "emu"}, 9)[0].size(), 3U);
  expect_user_error([&] { likeliest(logits, {"cat"}, 1); }, {"3 classes", "1"});
}

class PredictInput : public ::testing::Test {
 protected:
  PredictInput() {
    info.image_shape = {3, 4, 4};
    info.normalisation = {{0.5, 0.5, 0.5}, {0.5, 0.5, 0.5}};
    // The left half red, the right half blue; 8 wide, 4 high.
    auto pixels = torch::zeros({3, 4, 8}, torch::kUInt8);
    pixels[0].slice(1, 0, 4).fill_(255);
    pixels[2].slice(1, 4, 8).fill_(255);
    write_bytes(picture, png_file(pixels));
  }

  TemporaryFolder folder;
  std::filesystem::path picture = folder / "picture.png";
  NetworkDescription info;
};

TEST_F(PredictInput, IsTheMiddleOfThePictureNormalised) {
  const torch::Tensor input = read_network_input(picture.string(), info);
  ASSERT_EQ(input.sizes(), (std::vector<std::int64_t>{3, 4, 4}));
  EXPECT_NEAR(input[0][2][0].item<double>(), 1, 1e-6);   // red
  EXPECT_NEAR(input[2][2][0].item<double>(), -1, 1e-6);  // not blue
  EXPECT_NEAR(input[0][2][3].item<double>(), -1, 1e-6);
  EXPECT_NEAR(input[2][2][3].item<double>(), 1, 1e-6);
}

TEST_F(PredictInput, IsGreyForANetworkOfOneChannel) {
  info.image_shape = {1, 4, 4};
  info.normalisation = {{0}, {1}};
  const torch::Tensor input = read_network_input(picture.string(), info);
  ASSERT_EQ(input.sizes(), (std::vector<std::int64_t>{1, 4, 4}));
  EXPECT_NEAR(input[0][1][0].item<double>(), 0.299, 0.5 / 255);
  EXPECT_NEAR(input[0][1][3].item<double>(), 0.114, 0.5 / 255);
}

TEST_F(PredictInput, RefusesWhatIsNoPicture) {
  write_bytes(picture, "text");
  EXPECT_THROW(read_network_input(picture.string(), info), DamagedPicture);
  EXPECT_THROW(read_network_input((folder / "none.png").string(), info), UserError);
}

TEST_F(PredictInput, NeedsToKnowHowImagesWereNormalised) {
  info.normalisation = {};
  expect_user_error([&] { read_network_input(picture.string(), info); }, {"normalised"});
  info.normalisation = {{0, 0}, {1, 1}};
  info.image_shape = {2, 4, 4};
  expect_user_error([&] { read_network_input(picture.string(), info); }, {"2 channels"});
}

}  // namespace
}  // namespace mlaan::testing

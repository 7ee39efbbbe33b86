// The classes that a trained network predicts for pictures.
#include <mlaan/core/error.h>
#include <mlaan/data/picture.h>
#include <mlaan/data/transform.h>
#include <mlaan/train/predict.h>

#include <algorithm>

namespace mlaan {
namespace {

/// Luma of ITU-R BT.601, which is how pictures are usually converted to grey.
torch::Tensor to_grey(const torch::Tensor& picture) {
  const auto weights = torch::tensor({0.299, 0.587, 0.114}).view({3, 1, 1});
  return (picture.to(torch::kFloat32) * weights).sum(0, /*keepdim=*/true).round().to(torch::kUInt8);
}

}  // namespace

std::vector<std::vector<Guess>> likeliest(const torch::Tensor& logits,
                                          const std::vector<std::string>& names,
                                          std::int64_t count) {
  const std::int64_t classes = logits.size(1);
  if (static_cast<std::int64_t>(names.size()) != classes) {
    throw UserError("a network of " + std::to_string(classes) + " classes has names for " +
                    std::to_string(names.size()));
  }
  const torch::Tensor probabilities = logits.to(torch::kFloat64).softmax(1).cpu();
  const auto [values, indices] = probabilities.topk(std::min(count, classes), 1);
  std::vector<std::vector<Guess>> guesses;
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    std::vector<Guess> of_picture;
    for (std::int64_t k = 0; k < values.size(1); ++k) {
      of_picture.push_back({names.at(static_cast<std::size_t>(indices[i][k].item<std::int64_t>())),
                            values[i][k].item<double>()});
    }
    guesses.push_back(std::move(of_picture));
  }
  return guesses;
}

torch::Tensor read_network_input(const std::string& file, const NetworkDescription& info) {
  if (info.normalisation.mean.empty()) {
    throw UserError(
        "the checkpoint does not say how its images were normalised; it was written by an older "
        "version of mlaan; resume its run to write a new one");
  }
  const std::int64_t channels = info.image_shape.at(0);
  if (static_cast<std::int64_t>(info.normalisation.mean.size()) != channels ||
      (channels != 1 && channels != 3)) {
    throw UserError("the checkpoint's network takes images of " + std::to_string(channels) +
                    " channels, which pictures do not have");
  }
  const std::int64_t height = info.image_shape.at(1);
  const std::int64_t width = info.image_shape.at(2);
  torch::Tensor picture =
      read_picture(file, [&](std::int64_t picture_width, std::int64_t picture_height) {
        return centre_frame(picture_width, picture_height, width, height, info.framing_share);
      });
  if (channels == 1) picture = to_grey(picture);
  torch::Tensor input = torch::empty({channels, height, width});
  Transform(info.normalisation).apply(picture, input, /*key=*/0);
  return input;
}

}  // namespace mlaan

// Turns a uint8 image into the network's input: augmentation and normalisation.
#include "data/copy_pixels.h"

#include <mlaan/core/random.h>
#include <mlaan/data/transform.h>

#include <numeric>

namespace mlaan {
namespace {

/// Reflects a position into [0, n): −1 becomes 1, and n becomes n − 2.
std::int64_t reflect(std::int64_t position, std::int64_t n) {
  if (n == 1) return 0;
  while (position < 0 || position >= n) {
    position = position < 0 ? -position : 2 * (n - 1) - position;
  }
  return position;
}

/// The source of each position of a row or column; −1 for padding.
std::vector<std::int64_t> sources(std::int64_t n, std::int64_t offset, bool flip,
                                  PaddingMode mode) {
  std::vector<std::int64_t> from(static_cast<std::size_t>(n));
  for (std::int64_t i = 0; i < n; ++i) {
    std::int64_t position = (flip ? n - 1 - i : i) + offset;
    if (mode == PaddingMode::reflect) {
      position = reflect(position, n);
    } else if (position < 0 || position >= n) {
      position = -1;
    }
    from[static_cast<std::size_t>(i)] = position;
  }
  return from;
}

Transform::Sources unmoved(const torch::Tensor& image) {
  return {sources(image.size(1), 0, /*flip=*/false, PaddingMode::zero),
          sources(image.size(2), 0, /*flip=*/false, PaddingMode::zero)};
}

const std::array<std::uint8_t, 256>& as_they_are(std::int64_t /*channel*/) {
  static const auto values = [] {
    std::array<std::uint8_t, 256> identity{};
    std::iota(identity.begin(), identity.end(), std::uint8_t{0});
    return identity;
  }();
  return values;
}

}  // namespace

Transform::Transform(const Normalisation& normalisation) : Transform(normalisation, CropRecipe{}) {}

Transform::Transform(const Normalisation& normalisation, const CropRecipe& crop,
                     const Framing& framing, const PixelRecipe& pixels)
    : crop_(crop), framing_(framing), pixels_(pixels) {
  for (std::size_t c = 0; c < normalisation.mean.size(); ++c) {
    std::array<float, 256> values{};
    for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
      values.at(pixel) =
          static_cast<float>((static_cast<double>(pixel) / 255 - normalisation.mean[c]) /
                             normalisation.deviation.at(c));
    }
    table_.push_back(values);
  }
}

FrameChooser Transform::frame(std::uint64_t key) const {
  static const std::uint64_t stream = random_key("frame");
  return framing_.chooser(random_key({key, stream}));
}

void Transform::apply(const torch::Tensor& image, const torch::Tensor& target,
                      std::uint64_t key) const {
  RandomStream random(key);
  std::int64_t down = 0;
  std::int64_t right = 0;
  if (crop_.padding > 0) {
    const auto places = static_cast<std::uint64_t>(2 * crop_.padding + 1);
    down = static_cast<std::int64_t>(random.below(places)) - crop_.padding;
    right = static_cast<std::int64_t>(random.below(places)) - crop_.padding;
  }
  const bool flip = crop_.flip && random.below(2) == 1;
  const Sources from{sources(image.size(1), down, /*flip=*/false, crop_.padding_mode),
                     sources(image.size(2), right, flip, crop_.padding_mode)};
  const auto normalised = [this](std::int64_t channel) -> const auto& {
    return table_.at(static_cast<std::size_t>(channel));
  };
  if (pixels_.jitter.is_on() || pixels_.random_augment.operations > 0) {
    const torch::Tensor changed = change_pixels(image, from, key);
    const Sources all = unmoved(changed);
    copy_pixels<float>(changed, all.rows, all.columns, target, normalised);
  } else {
    copy_pixels<float>(image, from.rows, from.columns, target, normalised);
  }
  RandomStream erasing(random_key({key, random_key("erasing")}));
  pixels_.erasing.apply(target, erasing);
}

torch::Tensor Transform::change_pixels(const torch::Tensor& image, const Sources& from,
                                       std::uint64_t key) const {
  torch::Tensor result = torch::empty(image.sizes(), torch::kUInt8);
  copy_pixels<std::uint8_t>(image, from.rows, from.columns, result, as_they_are);
  // Each has a stream of its own, so its draws do not depend on which others are enabled.
  RandomStream jitter(random_key({key, random_key("colour jitter")}));
  if (pixels_.jitter.is_on()) result = pixels_.jitter.apply(result, jitter);
  RandomStream operations(random_key({key, random_key("random augment")}));
  return pixels_.random_augment.apply(result, operations);
}

}  // namespace mlaan

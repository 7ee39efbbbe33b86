// From a uint8 image to the network's input: augmentation and normalisation.
#include <mlaan/core/random.h>
#include <mlaan/data/transform.h>

namespace mlaan {
namespace {

/// Position −1 is that of 1, position n that of n − 2.
std::int64_t reflect(std::int64_t position, std::int64_t n) {
  if (n == 1) return 0;
  while (position < 0 || position >= n) {
    position = position < 0 ? -position : 2 * (n - 1) - position;
  }
  return position;
}

/// Where each position of a row or column comes from; −1 for padding.
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

}  // namespace

Transform::Transform(const Normalisation& normalisation) : Transform(normalisation, CropRecipe{}) {}

Transform::Transform(const Normalisation& normalisation, const CropRecipe& crop,
                     const Framing& framing)
    : crop_(crop), framing_(framing) {
  for (std::size_t c = 0; c < normalisation.mean.size(); ++c) {
    std::array<float, 256> values{};
    for (std::size_t pixel = 0; pixel < values.size(); ++pixel) {
      values.at(pixel) =
          static_cast<float>((static_cast<double>(pixel) / 255 - normalisation.mean[c]) /
                             normalisation.deviation.at(c));
    }
    table_.push_back(values);
    padding_value_.push_back(values[0]);
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
  const auto rows = sources(image.size(1), down, /*flip=*/false, crop_.padding_mode);
  const auto columns = sources(image.size(2), right, flip, crop_.padding_mode);

  const torch::Tensor pixels = image.contiguous();
  const auto* from = pixels.data_ptr<std::uint8_t>();
  auto* to = target.data_ptr<float>();
  const std::int64_t width = image.size(2);
  for (std::int64_t c = 0; c < image.size(0); ++c) {
    const auto& values = table_.at(static_cast<std::size_t>(c));
    const float padding = padding_value_.at(static_cast<std::size_t>(c));
    const auto* plane = from + c * image.size(1) * width;
    for (std::size_t y = 0; y < rows.size(); ++y) {
      float* out = to + c * target.stride(0) + static_cast<std::int64_t>(y) * target.stride(1);
      for (const auto column : columns) {
        *out = rows[y] < 0 || column < 0 ? padding : values[plane[rows[y] * width + column]];
        out += target.stride(2);
      }
    }
  }
}

}  // namespace mlaan

// Random erasing (Zhong et al. 2020, arXiv:1708.04896): overwrites a random rectangle.
#include <mlaan/data/random_erasing.h>

#include <cmath>

namespace mlaan {
namespace {

constexpr int most_attempts = 10;

std::int64_t place(std::int64_t outer, std::int64_t inner, RandomStream& random) {
  return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(outer - inner + 1)));
}

}  // namespace

void RandomErasing::apply(const torch::Tensor& picture, RandomStream& random) const {
  if (random.uniform() >= probability) return;
  const std::int64_t height = picture.size(1);
  const std::int64_t width = picture.size(2);
  const auto area = static_cast<double>(height * width);
  for (int attempt = 0; attempt < most_attempts; ++attempt) {
    const double erased = area * random.uniform(smallest_area, largest_area);
    const double ratio = std::exp(random.uniform(std::log(lowest_ratio), std::log(highest_ratio)));
    const auto rows = static_cast<std::int64_t>(std::nearbyint(std::sqrt(erased * ratio)));
    const auto columns = static_cast<std::int64_t>(std::nearbyint(std::sqrt(erased / ratio)));
    if (rows >= height || columns >= width) continue;
    const std::int64_t top = place(height, rows, random);
    const std::int64_t left = place(width, columns, random);
    auto* pixels = picture.data_ptr<float>();
    for (std::int64_t c = 0; c < picture.size(0); ++c) {
      for (std::int64_t y = top; y < top + rows; ++y) {
        float* row = pixels + c * picture.stride(0) + y * picture.stride(1);
        for (std::int64_t x = left; x < left + columns; ++x) {
          row[x * picture.stride(2)] =
              erasure == Erasure::noise ? static_cast<float>(random.normal()) : 0.0F;
        }
      }
    }
    return;
  }
}

}  // namespace mlaan

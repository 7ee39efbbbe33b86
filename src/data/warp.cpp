// Shears, moves and rotates pictures by nearest-neighbour sampling.
#include <mlaan/data/warp.h>

#include <cmath>

namespace mlaan {
namespace {

/// The source of a pixel: x' = xx·x + xy·y + x0 and y' = yx·x + yy·y + y0, relative to the
/// picture's centre.
struct Origin {
  double xx = 1;
  double xy = 0;
  double x0 = 0;
  double yx = 0;
  double yy = 1;
  double y0 = 0;
};

torch::Tensor warp(const torch::Tensor& image, const Origin& origin) {
  const torch::Tensor source = image.contiguous();
  const std::int64_t channels = source.size(0);
  const std::int64_t height = source.size(1);
  const std::int64_t width = source.size(2);
  torch::Tensor result = torch::zeros_like(source);
  const auto* from = source.data_ptr<std::uint8_t>();
  auto* to = result.data_ptr<std::uint8_t>();
  const double middle_x = (static_cast<double>(width) - 1) / 2;
  const double middle_y = (static_cast<double>(height) - 1) / 2;
  for (std::int64_t row = 0; row < height; ++row) {
    const double y = static_cast<double>(row) - middle_y;
    const double row_x = origin.xy * y + origin.x0 + middle_x;
    const double row_y = origin.yy * y + origin.y0 + middle_y;
    for (std::int64_t column = 0; column < width; ++column) {
      const double x = static_cast<double>(column) - middle_x;
      const auto left = static_cast<std::int64_t>(std::nearbyint(origin.xx * x + row_x));
      const auto top = static_cast<std::int64_t>(std::nearbyint(origin.yx * x + row_y));
      if (left < 0 || left >= width || top < 0 || top >= height) continue;
      for (std::int64_t c = 0; c < channels; ++c) {
        to[(c * height + row) * width + column] = from[(c * height + top) * width + left];
      }
    }
  }
  return result;
}

}  // namespace

torch::Tensor shear_x(const torch::Tensor& image, double slope) {
  Origin origin;
  origin.xy = slope;
  origin.x0 = slope * static_cast<double>(image.size(1)) / 2;
  return warp(image, origin);
}

torch::Tensor shear_y(const torch::Tensor& image, double slope) {
  Origin origin;
  origin.yx = slope;
  origin.y0 = slope * static_cast<double>(image.size(2)) / 2;
  return warp(image, origin);
}

torch::Tensor translate(const torch::Tensor& image, std::int64_t right, std::int64_t down) {
  Origin origin;
  origin.x0 = -static_cast<double>(right);
  origin.y0 = -static_cast<double>(down);
  return warp(image, origin);
}

torch::Tensor rotate(const torch::Tensor& image, double degrees) {
  const double angle = degrees * 3.14159265358979323846 / 180;
  Origin origin;
  origin.xx = std::cos(angle);
  origin.xy = -std::sin(angle);
  origin.yx = std::sin(angle);
  origin.yy = std::cos(angle);
  return warp(image, origin);
}

}  // namespace mlaan

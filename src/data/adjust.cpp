// Adjusts pixel values: brightness, contrast, saturation, hue, sharpness, and tables of values.
#include <mlaan/data/adjust.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace mlaan {
namespace {

using Pixel = std::uint8_t;
/// A lookup table: the new value for each pixel value.
using ValueTable = std::array<Pixel, 256>;

/// A picture and the adjusted picture that is computed from it.
struct Canvas {
  explicit Canvas(const torch::Tensor& image)
      : source(image.contiguous()),
        result(torch::empty_like(source)),
        from(source.data_ptr<Pixel>()),
        to(result.data_ptr<Pixel>()),
        channels(source.size(0)),
        height(source.size(1)),
        width(source.size(2)),
        area(height * width) {}

  torch::Tensor source;
  torch::Tensor result;
  const Pixel* from;
  Pixel* to;
  std::int64_t channels;
  std::int64_t height;
  std::int64_t width;
  std::int64_t area;
};

/// Clamps to [0, 255] and truncates.
Pixel to_pixel(float value) {
  return static_cast<Pixel>(std::clamp(value, 0.0F, 255.0F));
}

/// Weights of a picture and of the image it is blended with, in float32 as in the published code.
struct Blend {
  explicit Blend(double factor)
      : picture(static_cast<float>(factor)), other(static_cast<float>(1 - factor)) {}

  Pixel operator()(float value, float with) const {
    return to_pixel(picture * value + other * with);
  }

  float picture;
  float other;
};

template <class Function>
ValueTable make_table(const Function& function) {
  ValueTable table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    table.at(value) = function(static_cast<float>(value));
  }
  return table;
}

void map(const Pixel* from, Pixel* to, std::int64_t count, const ValueTable& table) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = table[from[i]];
}

torch::Tensor map(const torch::Tensor& image, const ValueTable& table) {
  Canvas canvas(image);
  map(canvas.from, canvas.to, canvas.channels * canvas.area, table);
  return canvas.result;
}

Pixel grey(Pixel red, Pixel green, Pixel blue) {
  return static_cast<Pixel>(0.2989F * static_cast<float>(red) + 0.587F * static_cast<float>(green) +
                            0.114F * static_cast<float>(blue));
}

double mean_grey(const Canvas& canvas) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < canvas.area; ++i) {
    const Pixel* pixel = canvas.from + i;
    sum += canvas.channels == 3 ? grey(pixel[0], pixel[canvas.area], pixel[2 * canvas.area])
                                : pixel[0];
  }
  return static_cast<double>(sum) / static_cast<double>(canvas.area);
}

struct RgbColour {
  float red;
  float green;
  float blue;
};

/// \param turn is added to the hue, as a fraction of a full turn. \param colour values in [0, 1].
RgbColour turned(const RgbColour& colour, float turn) {
  const float value = std::max({colour.red, colour.green, colour.blue});
  const float range = value - std::min({colour.red, colour.green, colour.blue});
  if (range == 0) return colour;
  const float saturation = range / value;
  const float red = (value - colour.red) / range;
  const float green = (value - colour.green) / range;
  const float blue = (value - colour.blue) / range;
  float sixths = 0;
  if (value == colour.red) {
    sixths = blue - green;
  } else if (value == colour.green) {
    sixths = 2 + red - blue;
  } else {
    sixths = 4 + green - red;
  }
  float hue = std::fmod(sixths / 6 + 1, 1.0F) + turn;
  hue -= std::floor(hue);
  const float sector = std::floor(hue * 6);
  const float rest = hue * 6 - sector;
  const float low = std::clamp(value * (1 - saturation), 0.0F, 1.0F);
  const float falling = std::clamp(value * (1 - saturation * rest), 0.0F, 1.0F);
  const float rising = std::clamp(value * (1 - saturation * (1 - rest)), 0.0F, 1.0F);
  switch (static_cast<int>(sector) % 6) {
    case 0:
      return {value, rising, low};
    case 1:
      return {falling, value, low};
    case 2:
      return {low, value, rising};
    case 3:
      return {low, falling, value};
    case 4:
      return {rising, low, value};
    default:
      return {value, low, falling};
  }
}

std::array<std::int64_t, 256> histogram(const Pixel* plane, std::int64_t area) {
  std::array<std::int64_t, 256> counts{};
  for (std::int64_t i = 0; i < area; ++i) ++counts[plane[i]];
  return counts;
}

ValueTable equalizing_table(const Pixel* plane, std::int64_t area) {
  const auto counts = histogram(plane, area);
  const auto highest =
      std::find_if(counts.rbegin(), counts.rend(), [](std::int64_t count) { return count > 0; });
  const std::int64_t step = (area - *highest) / 255;
  ValueTable table{};
  std::int64_t below = step / 2;
  for (std::size_t value = 0; value < table.size(); ++value) {
    table.at(value) = step == 0 ? static_cast<Pixel>(value)
                                : static_cast<Pixel>(std::min<std::int64_t>(below / step, 255));
    below += counts.at(value);
  }
  return table;
}

}  // namespace

torch::Tensor adjust_brightness(const torch::Tensor& image, double factor) {
  const Blend blend(factor);
  return map(image, make_table([&](float value) { return blend(value, 0); }));
}

torch::Tensor adjust_contrast(const torch::Tensor& image, double factor) {
  const Blend blend(factor);
  const auto mean = static_cast<float>(mean_grey(Canvas(image)));
  return map(image, make_table([&](float value) { return blend(value, mean); }));
}

torch::Tensor adjust_saturation(const torch::Tensor& image, double factor) {
  if (image.size(0) != 3) return image.clone();
  Canvas canvas(image);
  const Blend blend(factor);
  for (std::int64_t i = 0; i < canvas.area; ++i) {
    const Pixel* pixel = canvas.from + i;
    const float without = grey(pixel[0], pixel[canvas.area], pixel[2 * canvas.area]);
    for (std::int64_t c = 0; c < 3; ++c) {
      canvas.to[c * canvas.area + i] = blend(pixel[c * canvas.area], without);
    }
  }
  return canvas.result;
}

torch::Tensor adjust_hue(const torch::Tensor& image, double turn) {
  if (image.size(0) != 3) return image.clone();
  Canvas canvas(image);
  for (std::int64_t i = 0; i < canvas.area; ++i) {
    const auto share = [&](std::int64_t channel) {
      return static_cast<float>(canvas.from[channel * canvas.area + i]) / 255.0F;
    };
    const RgbColour colour = turned({share(0), share(1), share(2)}, static_cast<float>(turn));
    canvas.to[i] = to_pixel(colour.red * 255);
    canvas.to[canvas.area + i] = to_pixel(colour.green * 255);
    canvas.to[2 * canvas.area + i] = to_pixel(colour.blue * 255);
  }
  return canvas.result;
}

torch::Tensor adjust_sharpness(const torch::Tensor& image, double factor) {
  Canvas canvas(image);
  if (canvas.height <= 2 || canvas.width <= 2) return image.clone();
  const Blend blend(factor);
  const auto smoothed = [width = canvas.width](const Pixel* pixel) {
    int sum = 4 * *pixel;
    for (std::int64_t dy = -1; dy <= 1; ++dy) {
      for (std::int64_t dx = -1; dx <= 1; ++dx) sum += pixel[dy * width + dx];
    }
    return static_cast<float>((2 * sum + 13) / 26);  // divided by 13 and rounded
  };
  for (std::int64_t row = 0; row < canvas.channels * canvas.height; ++row) {
    const std::int64_t y = row % canvas.height;
    const Pixel* from = canvas.from + row * canvas.width;
    Pixel* to = canvas.to + row * canvas.width;
    std::copy(from, from + canvas.width, to);
    if (y == 0 || y + 1 == canvas.height) continue;
    for (std::int64_t x = 1; x + 1 < canvas.width; ++x) to[x] = blend(from[x], smoothed(from + x));
  }
  return canvas.result;
}

torch::Tensor posterize(const torch::Tensor& image, std::int64_t bits) {
  const int step = 1 << (8 - bits);
  return map(image, make_table([&](float value) {
               return static_cast<Pixel>(static_cast<int>(value) / step * step);
             }));
}

torch::Tensor solarize(const torch::Tensor& image, double threshold) {
  return map(
      image, make_table([&](float value) {
        return static_cast<Pixel>(value >= static_cast<float>(threshold) ? 255 - value : value);
      }));
}

torch::Tensor autocontrast(const torch::Tensor& image) {
  Canvas canvas(image);
  for (std::int64_t c = 0; c < canvas.channels; ++c) {
    const Pixel* plane = canvas.from + c * canvas.area;
    const auto [lowest, highest] = std::minmax_element(plane, plane + canvas.area);
    const float low = *lowest;
    const float range = static_cast<float>(*highest) - low;
    const auto table = make_table([&](float value) {
      return range > 0 ? to_pixel((value - low) * 255 / range) : to_pixel(value);
    });
    map(plane, canvas.to + c * canvas.area, canvas.area, table);
  }
  return canvas.result;
}

torch::Tensor equalize(const torch::Tensor& image) {
  Canvas canvas(image);
  for (std::int64_t c = 0; c < canvas.channels; ++c) {
    const Pixel* plane = canvas.from + c * canvas.area;
    map(plane, canvas.to + c * canvas.area, canvas.area, equalizing_table(plane, canvas.area));
  }
  return canvas.result;
}

}  // namespace mlaan

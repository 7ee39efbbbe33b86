// Colour jitter: random brightness, contrast, saturation and hue.
#include <mlaan/data/adjust.h>
#include <mlaan/data/colour_jitter.h>

#include <algorithm>
#include <array>
#include <utility>

namespace mlaan {

bool ColourJitter::is_on() const {
  return brightness > 0 || contrast > 0 || saturation > 0 || hue > 0;
}

torch::Tensor ColourJitter::apply(torch::Tensor image, RandomStream& random) const {
  struct Change {
    torch::Tensor (*adjust)(const torch::Tensor& image, double factor);
    bool is_on;
    double factor;
  };
  const auto factor = [&random](double range) {
    return random.uniform(std::max(0.0, 1 - range), 1 + range);
  };
  // All numbers are drawn, used or not, so that changes do not depend on which others are enabled.
  std::array<Change, 4> changes{{{adjust_brightness, brightness > 0, factor(brightness)},
                                 {adjust_contrast, contrast > 0, factor(contrast)},
                                 {adjust_saturation, saturation > 0, factor(saturation)},
                                 {adjust_hue, hue > 0, random.uniform(-hue, hue)}}};
  for (std::size_t i = changes.size(); i > 1; --i) {
    std::swap(changes.at(i - 1), changes.at(random.below(i)));
  }
  for (const auto& change : changes) {
    if (change.is_on) image = change.adjust(image, change.factor);
  }
  return image;
}

}  // namespace mlaan

// Colour jitter: random brightness, contrast, saturation and hue.
#pragma once

#include <mlaan/core/random.h>

#include <torch/types.h>

namespace mlaan {

/// How far each property is changed at random, as in torchvision's ColorJitter: by a factor uniform
/// in [max(0, 1 − x), 1 + x], or for the hue by a turn uniform in [−x, x]. 0: unchanged.
struct ColourJitter {
  double brightness = 0;
  double contrast = 0;
  double saturation = 0;
  double hue = 0;  ///< share of a full turn, at most 0.5

  bool is_on() const;

  /// Changes the properties one after the other, in random order.
  /// \param image uint8, 1 or 3 channels × height × width.
  torch::Tensor apply(torch::Tensor image, RandomStream& random) const;
};

}  // namespace mlaan

// Adjustments of a picture's pixel values: brightness, contrast, colour, sharpness, and what remaps
// them.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

// Each gives a new picture of the same size, and agrees with torchvision's function of that name on
// uint8 tensors. Pictures are uint8, channels × height × width, of one channel or three (red,
// green, blue). Factors blend with what lacks the property: 0 gives that alone, 1 the picture, more
// exaggerates; values are cut to 0 … 255. None uses threads.

/// Blends with black.
torch::Tensor adjust_brightness(const torch::Tensor& image, double factor);

/// Blends with the mean grey of the picture.
torch::Tensor adjust_contrast(const torch::Tensor& image, double factor);

/// Blends with the picture in grey. Of one channel: the picture.
torch::Tensor adjust_saturation(const torch::Tensor& image, double factor);

/// Turns the hue (of HSV) by this share of a full turn, from −0.5 to 0.5. Of one channel: the
/// picture.
torch::Tensor adjust_hue(const torch::Tensor& image, double turn);

/// Blends with the picture smoothed by a 3×3 window, which leaves the outermost pixels alone.
torch::Tensor adjust_sharpness(const torch::Tensor& image, double factor);

/// Keeps the highest `bits` bits of each value, 0 to 8.
torch::Tensor posterize(const torch::Tensor& image, std::int64_t bits);

/// Inverts values of at least `threshold`.
torch::Tensor solarize(const torch::Tensor& image, double threshold);

/// Stretches each channel's values from the lowest and the highest to 0 and 255.
torch::Tensor autocontrast(const torch::Tensor& image);

/// Makes each channel's values about equally frequent.
torch::Tensor equalize(const torch::Tensor& image);

}  // namespace mlaan

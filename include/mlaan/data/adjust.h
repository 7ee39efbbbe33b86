// Adjustments of a picture's pixel values: brightness, contrast, colour, sharpness and others.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

// Each function returns a new picture of the same size, and agrees with torchvision's function of
// that name on uint8 tensors. Pictures are uint8, channels × height × width, with one channel or
// three (red, green, blue). A factor blends the picture with a version that lacks the property: 0
// gives that version, 1 the picture, and more than 1 exaggerates the property; values are clamped
// to 0 … 255. No function uses threads.

/// Blends with black.
torch::Tensor adjust_brightness(const torch::Tensor& image, double factor);

/// Blends with the mean grey of the picture.
torch::Tensor adjust_contrast(const torch::Tensor& image, double factor);

/// Blends with the picture in grey. A picture of one channel is unchanged.
torch::Tensor adjust_saturation(const torch::Tensor& image, double factor);

/// Shifts the hue (of HSV) by this share of a full turn, from −0.5 to 0.5. A picture of one channel
/// is unchanged.
torch::Tensor adjust_hue(const torch::Tensor& image, double turn);

/// Blends with the picture smoothed by a 3×3 filter. The outermost pixels are unchanged.
torch::Tensor adjust_sharpness(const torch::Tensor& image, double factor);

/// Keeps the highest `bits` bits of each value, 0 to 8, and sets the others to 0.
torch::Tensor posterize(const torch::Tensor& image, std::int64_t bits);

/// Inverts values of at least `threshold` (255 − value).
torch::Tensor solarize(const torch::Tensor& image, double threshold);

/// Stretches each channel's values linearly, so that the lowest becomes 0 and the highest 255.
torch::Tensor autocontrast(const torch::Tensor& image);

/// Equalises each channel's histogram.
torch::Tensor equalize(const torch::Tensor& image);

}  // namespace mlaan

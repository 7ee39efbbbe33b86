// Pictures sheared, moved and turned: each pixel is the nearest one of where it comes from.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

// Pictures are uint8, channels × height × width; the results are of the same size, and black where
// there is nothing to come from. Each agrees with torchvision's tensor operation with its nearest
// interpolation. None uses threads.

/// Moves each row to the left by `slope` times its distance from the top edge.
torch::Tensor shear_x(const torch::Tensor& image, double slope);
/// Moves each column up by `slope` times its distance from the left edge.
torch::Tensor shear_y(const torch::Tensor& image, double slope);
/// Moves the picture to the right and down by whole pixels.
torch::Tensor translate(const torch::Tensor& image, std::int64_t right, std::int64_t down);
/// Turns the picture about its middle, anticlockwise.
torch::Tensor rotate(const torch::Tensor& image, double degrees);

}  // namespace mlaan

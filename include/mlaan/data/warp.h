// Shears, translates and rotates pictures, with nearest-neighbour interpolation.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

// Pictures are uint8, channels × height × width. Results have the same size, and are black where no
// source pixel exists. Each function agrees with torchvision's tensor operation with nearest
// interpolation. No function uses threads.

/// Moves each row to the left by `slope` times its distance from the top edge.
torch::Tensor shear_x(const torch::Tensor& image, double slope);
/// Moves each column up by `slope` times its distance from the left edge.
torch::Tensor shear_y(const torch::Tensor& image, double slope);
/// Moves the picture right and down by whole pixels.
torch::Tensor translate(const torch::Tensor& image, std::int64_t right, std::int64_t down);
/// Rotates the picture about its centre, anticlockwise.
torch::Tensor rotate(const torch::Tensor& image, double degrees);

}  // namespace mlaan

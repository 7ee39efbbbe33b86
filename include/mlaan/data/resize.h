// Resizes pictures.
#pragma once

#include <mlaan/data/frame.h>

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// A region of a picture, in pixels, whose edges may lie within pixels.
struct ExactRegion {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

/// Uninitialised memory for a picture, laid out so that resize() reads it without a copy.
/// \return uint8, channels × height × width.
torch::Tensor picture_memory(std::int64_t channels, std::int64_t height, std::int64_t width);

/// Resizes a region bilinearly. When it shrinks, the filter is widened to a pixel of the result,
/// which avoids aliasing: Pillow's BILINEAR. Uses the library zimg.
/// \param image uint8, channels × height × width, with any strides.
/// \param region of the image to resize; the filter reads beyond its edges where there are pixels.
/// \return uint8, channels × out_height × out_width, with contiguous rows; a view of the image if
///         the region already has that size.
torch::Tensor resize(const torch::Tensor& image, const ExactRegion& region, std::int64_t out_width,
                     std::int64_t out_height);

/// Resizes the frame's region to the frame's size; a view of the image if the two sizes are equal.
torch::Tensor resize(const torch::Tensor& image, const Frame& frame);

}  // namespace mlaan

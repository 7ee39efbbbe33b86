// Resizing pictures.
#pragma once

#include <mlaan/data/frame.h>

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// A part of a picture whose edges may lie within pixels.
struct ExactRegion {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

/// Memory for a picture, uninitialised, that resize() reads without a copy.
/// \return uint8, channels × height × width.
torch::Tensor picture_memory(std::int64_t channels, std::int64_t height, std::int64_t width);

/// Bilinear, with a filter as wide as a pixel of the result, so that shrinking does not alias: what
/// Pillow calls BILINEAR. By the library zimg.
/// \param image uint8, channels × height × width, of any strides.
/// \param region of the image to resize; the filter reaches beyond its edges where there are
/// pixels. \return uint8, channels × out_height × out_width, each row of it contiguous.
torch::Tensor resize(const torch::Tensor& image, const ExactRegion& region, std::int64_t out_width,
                     std::int64_t out_height);

/// The frame's region, brought to its size. A view of the image where the two sizes agree.
torch::Tensor resize(const torch::Tensor& image, const Frame& frame);

}  // namespace mlaan

// Pictures as decoders give them, and how far two of them differ.
#pragma once

#include <mlaan/data/picture.h>

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace mlaan::testing {

inline torch::Tensor decode(const std::string& file, const FrameChooser& choose = whole_frame) {
  return decode_picture(file.data(), file.size(), choose);
}

/// A part of a picture, as it is.
inline FrameChooser part(std::int64_t left, std::int64_t top, std::int64_t width,
                         std::int64_t height) {
  return [=](std::int64_t, std::int64_t) {
    return Frame{{left, top, width, height}, width, height};
  };
}

inline double mean_difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a.to(torch::kFloat32) - b.to(torch::kFloat32)).abs().mean().item<double>();
}

}  // namespace mlaan::testing

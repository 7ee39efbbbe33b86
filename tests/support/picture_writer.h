// Picture files that tests write.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace mlaan::testing {

/// Whether this build can write, and read, JPEG and PNG.
bool built_with_pictures();

struct JpegSettings {
  int quality = 95;
  int chroma_width = 2;  ///< pixels of a chroma sample
  int chroma_height = 2;
  bool progressive = false;
  bool many_scans = false;  ///< of a grey picture: 316, each of one bit of one coefficient
  bool adobe = true;        ///< of four channels: inks stored inverted, and a marker that says so
  int orientation = 0;      ///< in EXIF data; 0: none
};

/// The content of a JPEG file. \param image uint8, 1 (grey), 3 or 4 (CMYK, as stored) × height ×
/// width.
std::string jpeg_file(const torch::Tensor& image, const JpegSettings& settings = {});

struct PngSettings {
  int bits = 8;  ///< 16: each value v as 257 · v
  bool interlaced = false;
  bool palette = false;  ///< of one channel: value v is the colour (v, 255 − v, v / 2)
  int orientation = 0;
};

/// The content of a PNG file. \param image uint8, 1 (grey), 2, 3 or 4 (with alpha) × height ×
/// width.
std::string png_file(const torch::Tensor& image, const PngSettings& settings = {});

/// The content of a WebP file. \param image uint8, 3 × height × width. \param quality 100:
/// lossless.
std::string webp_file(const torch::Tensor& image, float quality = 100);

/// A picture of waves, no two parts of it alike. \return uint8, channels × height × width.
torch::Tensor wavy_picture(std::int64_t channels, std::int64_t height, std::int64_t width);

/// An orientation as EXIF data has it, from "Exif" on.
std::string exif_with_orientation(int orientation);

}  // namespace mlaan::testing

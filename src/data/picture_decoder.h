// What the decoders of the formats have in common.
#pragma once

#include <mlaan/data/frame.h>
#include <mlaan/data/picture.h>
#include <mlaan/data/resize.h>

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mlaan {

/// A file's content. Whoever has it keeps it in memory.
struct Bytes {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

/// What was decoded for a frame: its region, at the scale and with the margins that suited the
/// decoder.
struct DecodedRegion {
  torch::Tensor pixels;  ///< uint8, 1 (grey) or 3 × height × width
  ExactRegion region;    ///< the frame's, in `pixels`
};

/// A picture of which the header has been read. Made by the format's open function.
class PictureDecoder {
 public:
  PictureDecoder() = default;
  virtual ~PictureDecoder() = default;
  PictureDecoder(const PictureDecoder&) = delete;
  PictureDecoder& operator=(const PictureDecoder&) = delete;

  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }
  /// As EXIF counts: 1 to 8, 1 for upright.
  int orientation() const { return orientation_; }

  /// Decodes, once, what a frame of the picture as it is stored needs.
  virtual DecodedRegion decode(const Frame& frame) = 0;

 protected:
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  int orientation_ = 1;
};

/// \throws DamagedPicture where a picture's pixels are more than are decoded.
void check_pixels(std::int64_t width, std::int64_t height);

/// Of the file's bytes, which must stay in memory.
/// \throws DamagedPicture for a header that cannot be read.
std::unique_ptr<PictureDecoder> open_jpeg(const Bytes& file);
std::unique_ptr<PictureDecoder> open_png(const Bytes& file);
std::unique_ptr<PictureDecoder> open_webp(const Bytes& file);

}  // namespace mlaan

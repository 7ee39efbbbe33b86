// The interface of the decoders of JPEG, PNG and WebP.
#pragma once

#include <mlaan/data/frame.h>
#include <mlaan/data/picture.h>
#include <mlaan/data/resize.h>

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace mlaan {

/// A file's content; a view that does not own the memory.
struct Bytes {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

/// The decoder's result for a frame: its region, at a scale and with margins that suit the decoder.
struct DecodedRegion {
  torch::Tensor pixels;  ///< uint8, 1 (grey) or 3 × height × width
  ExactRegion region;    ///< the frame's region in coordinates of `pixels`
};

/// A picture whose header has been read. Created by the open function of its format.
class PictureDecoder {
 public:
  PictureDecoder() = default;
  virtual ~PictureDecoder() = default;
  PictureDecoder(const PictureDecoder&) = delete;
  PictureDecoder& operator=(const PictureDecoder&) = delete;

  std::int64_t width() const { return width_; }
  std::int64_t height() const { return height_; }
  /// The EXIF orientation, 1 to 8; 1 is upright.
  int orientation() const { return orientation_; }

  /// Decodes the region of a frame of the picture as stored. May be called once.
  virtual DecodedRegion decode(const Frame& frame) = 0;

 protected:
  std::int64_t width_ = 0;
  std::int64_t height_ = 0;
  int orientation_ = 1;
};

/// \throws DamagedPicture if the picture has more pixels than mlaan decodes (most_pixels).
void check_pixels(std::int64_t width, std::int64_t height);

/// Opens a picture from the file's bytes, which must stay in memory.
/// \throws DamagedPicture for a header that cannot be read.
std::unique_ptr<PictureDecoder> open_jpeg(const Bytes& file);
std::unique_ptr<PictureDecoder> open_png(const Bytes& file);
std::unique_ptr<PictureDecoder> open_webp(const Bytes& file);

}  // namespace mlaan

// Frames: the region of a picture to read, and the size to resize it to.
#pragma once

#include <mlaan/core/random.h>

#include <cstdint>
#include <functional>

namespace mlaan {

/// A rectangle of a picture, in pixels.
struct Region {
  std::int64_t left = 0;
  std::int64_t top = 0;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// A region of a picture, and the size in pixels to resize it to.
struct Frame {
  Region region;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// Returns a frame for a picture of this size; called before the pixels are decoded.
using FrameChooser = std::function<Frame(std::int64_t width, std::int64_t height)>;

/// The whole picture as it is.
Frame whole_frame(std::int64_t width, std::int64_t height);

/// The centre of a picture: `share` times the side lengths of the largest region with the output's
/// aspect ratio. For a square output this equals resizing the shorter side to size / share and
/// cropping the centre.
/// \param width,height of the picture.
/// \param out_width,out_height of the output.
Frame centre_frame(std::int64_t width, std::int64_t height, std::int64_t out_width,
                   std::int64_t out_height, double share);

/// Areas and aspect ratios of the regions of random_frame().
struct FrameRange {
  double smallest_area = 0.08;  ///< as a share of the picture's area
  double largest_area = 1;
  double widest_ratio = 4.0 / 3;  ///< highest width / height; the lowest is its inverse
};

/// The random resized crop of Inception (Szegedy et al. 2014, arXiv:1409.4842): a region of
/// uniformly drawn area and log-uniformly drawn aspect ratio, at a random place. After ten draws
/// that do not fit into the picture, a centred region as large as the aspect ratios allow.
Frame random_frame(std::int64_t width, std::int64_t height, std::int64_t out_width,
                   std::int64_t out_height, const FrameRange& range, RandomStream& random);

/// How the pictures of a data set are brought to one size.
struct Framing {
  enum class Kind : std::uint8_t {
    whole,   ///< unchanged
    centre,  ///< centre_frame()
    random   ///< random_frame()
  };
  Kind kind = Kind::whole;
  std::int64_t width = 0;  ///< of the result; not used by `whole`
  std::int64_t height = 0;
  double share = 1;  ///< for centre_frame()
  FrameRange range;  ///< for random_frame()

  /// \param key of the random stream: equal keys give equal frames.
  FrameChooser chooser(std::uint64_t key) const;
};

}  // namespace mlaan

// Frames: which part of a picture is wanted, and how large.
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

/// A region of a picture, and the size to bring it to.
struct Frame {
  Region region;
  std::int64_t width = 0;
  std::int64_t height = 0;
};

/// Decides on a frame as soon as the picture's size is known, before its pixels are.
using FrameChooser = std::function<Frame(std::int64_t width, std::int64_t height)>;

/// The whole picture as it is.
Frame whole_frame(std::int64_t width, std::int64_t height);

/// The middle of a picture, of the output's proportions and `share` of what of these fits into it:
/// as resizing the shorter side to size / share and cropping the centre, for a square output.
/// \param width,height of the picture. \param out_width,out_height of the output.
Frame centre_frame(std::int64_t width, std::int64_t height, std::int64_t out_width,
                   std::int64_t out_height, double share);

/// How large, and of what proportions, the regions of random_frame() are.
struct FrameRange {
  double smallest_area = 0.08;  ///< as a share of the picture's
  double largest_area = 1;
  double widest_ratio = 4.0 / 3;  ///< width to height, at most; its inverse at least
};

/// The random resized crop of Inception (Szegedy et al. 2014, arXiv:1409.4842): a region of
/// uniformly drawn area, and of log-uniformly drawn proportions, at a random place. After ten draws
/// that do not fit into the picture, its middle, as large as the proportions allow.
Frame random_frame(std::int64_t width, std::int64_t height, std::int64_t out_width,
                   std::int64_t out_height, const FrameRange& range, RandomStream& random);

/// How the pictures of a data set are brought to one size.
struct Framing {
  enum class Kind : std::uint8_t {
    whole,   ///< left as they are
    centre,  ///< centre_frame()
    random   ///< random_frame()
  };
  Kind kind = Kind::whole;
  std::int64_t width = 0;  ///< of the result, unless they are left as they are
  std::int64_t height = 0;
  double share = 1;  ///< of centre_frame()
  FrameRange range;  ///< of random_frame()

  /// \param key of the random stream: the same key, the same frames.
  FrameChooser chooser(std::uint64_t key) const;
};

}  // namespace mlaan

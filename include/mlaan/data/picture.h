// Reads JPEG, PNG and WebP pictures: upright, in colour, and decoded no larger than needed.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/data/frame.h>

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A picture that cannot be read: damaged, cut short, empty, too large, or not a picture at all.
class DamagedPicture : public UserError {
 public:
  using UserError::UserError;
};

/// Most pixels of a picture at the scale at which it is decoded; larger pictures are rejected as
/// damaged. A JPEG from which fewer pixels are wanted is decoded at a reduced scale, so it may have
/// up to 64 times as many - unless it is progressive, which has to be held in memory whole.
constexpr std::int64_t most_pixels = 100'000'000;

/// Extensions of picture files, in lower case; upper case counts as well.
const std::vector<std::string>& picture_extensions();

/// Reads the frame that `choose` returns. The result is 8-bit red, green and blue whatever the file
/// has: grey is repeated in all three channels, CMYK is converted without a colour profile, 16 bits
/// are rounded to 8, and transparency is dropped. The orientation in EXIF data is applied: the
/// picture is upright, and so are the sizes that `choose` reads. The format is detected from the
/// content.
/// \return uint8, 3 × frame's height × frame's width, with any strides.
/// \throws DamagedPicture naming the file and what is wrong.
torch::Tensor read_picture(const std::filesystem::path& path,
                           const FrameChooser& choose = whole_frame);

/// The same as read_picture(), for a file's content in memory.
/// \throws DamagedPicture saying what is wrong.
torch::Tensor decode_picture(const void* bytes, std::size_t size,
                             const FrameChooser& choose = whole_frame);

}  // namespace mlaan

// Pictures in files: JPEG, PNG and WebP, read upright, in colour, and no larger than needed.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/data/frame.h>

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A picture that cannot be read: damaged, cut short, empty, too large, or none at all.
class DamagedPicture : public UserError {
 public:
  using UserError::UserError;
};

/// Pixels that a picture may have at the scale at which it is decoded. A JPEG of which less is
/// wanted is decoded at a reduced scale, so that it may be up to 64 times as large - unless it is
/// progressive, which has to be held in memory whole. Larger ones are damaged pictures.
constexpr std::int64_t most_pixels = 100'000'000;

/// Names of files that are taken for pictures end like this, in small letters or capitals.
const std::vector<std::string>& picture_extensions();

/// Reads a part of a picture. What is decoded is 8 bits of red, green and blue, whatever is in the
/// file: grey is grey in all three, CMYK is converted without a colour profile, 16 bits are rounded
/// to 8, and transparency is dropped. An orientation in the file's EXIF data is heeded: the picture
/// is upright, and so are the sizes that `choose` is given. The format is told from the content.
/// \return uint8, 3 × frame's height × frame's width, of any strides.
/// \throws DamagedPicture naming the file and what is wrong.
torch::Tensor read_picture(const std::filesystem::path& path,
                           const FrameChooser& choose = whole_frame);

/// The same, of a file's content. \throws DamagedPicture saying what is wrong.
torch::Tensor decode_picture(const void* bytes, std::size_t size,
                             const FrameChooser& choose = whole_frame);

}  // namespace mlaan

// Finds the EXIF data of PNG pictures.
#pragma once

#include "data/picture_decoder.h"

#include <cstdint>
#include <vector>

namespace mlaan {

/// Returns the content of the eXIf chunk; without one, the data that ImageMagick writes as
/// hexadecimal digits into the text "Raw profile type exif" (or APP1). Chunks with a wrong checksum
/// are skipped.
/// \return empty if there is none.
std::vector<std::uint8_t> png_exif(const Bytes& file);

}  // namespace mlaan

// The EXIF data of PNG pictures.
#pragma once

#include "data/picture_decoder.h"

#include <cstdint>
#include <vector>

namespace mlaan {

/// That of an eXIf chunk; without one, what ImageMagick writes as hexadecimal digits into a text
/// called "Raw profile type exif" (or APP1). Chunks whose checksum is wrong are passed over.
/// \return empty where there is none.
std::vector<std::uint8_t> png_exif(const Bytes& file);

}  // namespace mlaan

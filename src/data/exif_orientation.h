// Reads the orientation of a picture from its EXIF data.
#pragma once

#include "data/picture_decoder.h"

namespace mlaan {

/// \return the orientation, 1 to 8; 1 (upright) if there is none or the data cannot be read.
/// \param exif with or without the leading six bytes "Exif\0\0".
int exif_orientation(const Bytes& exif);

}  // namespace mlaan

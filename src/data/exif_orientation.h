// The orientation of a picture in its EXIF data.
#pragma once

#include "data/picture_decoder.h"

namespace mlaan {

/// From 1 to 8; 1, upright, where the data says nothing or cannot be read.
/// \param exif with or without the six bytes "Exif\0\0" ahead.
int exif_orientation(const Bytes& exif);

}  // namespace mlaan

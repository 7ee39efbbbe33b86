// Reads the orientation of a picture from its EXIF data.
#include "data/exif_orientation.h"

#include <libexif/exif-data.h>

#include <array>
#include <cstring>
#include <vector>

namespace mlaan {
namespace {

struct Unreference {
  void operator()(ExifData* data) const { exif_data_unref(data); }
};

constexpr std::array<std::uint8_t, 6> exif_header{'E', 'x', 'i', 'f', 0, 0};

bool has_header(const Bytes& exif) {
  return exif.size >= exif_header.size() &&
         std::memcmp(exif.data, exif_header.data(), exif_header.size()) == 0;
}

}  // namespace

int exif_orientation(const Bytes& exif) {
  std::vector<std::uint8_t> content;
  if (!has_header(exif)) content.assign(exif_header.begin(), exif_header.end());
  content.insert(content.end(), exif.data, exif.data + exif.size);
  const std::unique_ptr<ExifData, Unreference> data(
      exif_data_new_from_data(content.data(), static_cast<unsigned>(content.size())));
  if (!data) return 1;
  const ExifEntry* entry = exif_content_get_entry(data->ifd[EXIF_IFD_0], EXIF_TAG_ORIENTATION);
  if (entry == nullptr || entry->format != EXIF_FORMAT_SHORT || entry->size < 2) return 1;
  const int orientation = exif_get_short(entry->data, exif_data_get_byte_order(data.get()));
  return orientation >= 1 && orientation <= 8 ? orientation : 1;
}

}  // namespace mlaan

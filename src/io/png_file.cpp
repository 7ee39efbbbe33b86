// Encodes pictures as PNG and base64, for HTML pages.
#include "io/png_file.h"

#include <mlaan/core/error.h>

#include <zlib.h>

#include <cstdint>

namespace mlaan {
namespace {

std::string highest_byte_first(std::uint32_t value) {
  std::string bytes;
  for (const unsigned shift : {24U, 16U, 8U, 0U}) bytes += static_cast<char>(value >> shift);
  return bytes;
}

std::string png_chunk(const std::string& type, const std::string& content) {
  const std::string checked = type + content;
  const auto checksum = crc32(crc32(0, nullptr, 0), reinterpret_cast<const Bytef*>(checked.data()),
                              static_cast<uInt>(checked.size()));
  return highest_byte_first(static_cast<std::uint32_t>(content.size())) + checked +
         highest_byte_first(static_cast<std::uint32_t>(checksum));
}

std::string deflated(const std::string& bytes) {
  uLongf size = compressBound(static_cast<uLong>(bytes.size()));
  std::string packed(size, '\0');
  const int result =
      compress(reinterpret_cast<Bytef*>(packed.data()), &size,
               reinterpret_cast<const Bytef*>(bytes.data()), static_cast<uLong>(bytes.size()));
  if (result != Z_OK) throw Error("a picture cannot be compressed");
  packed.resize(size);
  return packed;
}

}  // namespace

std::string png_bytes(const torch::Tensor& picture) {
  const bool grey = picture.size(0) == 1;
  const torch::Tensor pixels = picture.permute({1, 2, 0}).contiguous();
  const auto row_bytes = static_cast<std::size_t>(pixels.size(1) * pixels.size(2));
  const auto* pixel = static_cast<const char*>(pixels.data_ptr());
  std::string rows;
  for (std::int64_t row = 0; row < pixels.size(0); ++row, pixel += row_bytes) {
    rows += '\0';  // filter type 0: the row is stored unchanged
    rows.append(pixel, row_bytes);
  }
  const std::string header = highest_byte_first(static_cast<std::uint32_t>(pixels.size(1))) +
                             highest_byte_first(static_cast<std::uint32_t>(pixels.size(0))) +
                             std::string{'\x08', grey ? '\0' : '\x02', '\0', '\0', '\0'};
  return "\x89PNG\r\n\x1a\n" + png_chunk("IHDR", header) + png_chunk("IDAT", deflated(rows)) +
         png_chunk("IEND", "");
}

std::string base64(std::string_view bytes) {
  constexpr const char* letters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (unsigned k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? letters[three >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

}  // namespace mlaan

// Finds the EXIF data of PNG pictures.
#include "data/png_exif.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <string>

namespace mlaan {
namespace {

constexpr std::size_t signature_size = 8;
/// EXIF data has at most 64 KiB; in text it takes twice as many digits, and line ends.
constexpr std::size_t longest_text = std::size_t{1} << 18;

std::uint32_t big_endian(const std::uint8_t* bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | bytes[i];
  return value;
}

struct Chunk {
  std::string type;
  Bytes data;
};

/// Calls `visit(chunk)` for each chunk until it returns true or the file ends.
template <class Visit>
void for_each_chunk(const Bytes& file, const Visit& visit) {
  constexpr std::size_t around = 12;  // length and type before the data, checksum after it
  std::size_t place = signature_size;
  while (file.size >= place + around) {
    const std::uint8_t* const begin = file.data + place;
    const std::size_t size = big_endian(begin);
    if (size > file.size - place - around) return;
    const Chunk chunk{{begin + 4, begin + 8}, {begin + 8, size}};
    if (visit(chunk)) return;
    place += around + size;
  }
}

bool has_right_checksum(const Chunk& chunk) {
  const auto checksum = crc32(0, chunk.data.data - 4, static_cast<uInt>(chunk.data.size + 4));
  return checksum == big_endian(chunk.data.data + chunk.data.size);
}

/// Decompresses at most `longest_text` bytes.
std::string inflated(const Bytes& packed) {
  std::string text(longest_text, '\0');
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return "";
  stream.next_in = const_cast<Bytef*>(packed.data);
  stream.avail_in = static_cast<uInt>(packed.size);
  stream.next_out = reinterpret_cast<Bytef*>(text.data());
  stream.avail_out = static_cast<uInt>(text.size());
  inflate(&stream, Z_FINISH);
  text.resize(text.size() - stream.avail_out);
  inflateEnd(&stream);
  return text;
}

/// The bytes after the first zero byte; empty if there is none.
Bytes behind_zero(const Bytes& bytes) {
  const auto* end = bytes.data + bytes.size;
  const auto* zero = std::find(bytes.data, end, 0);
  return zero == end ? Bytes{} : Bytes{zero + 1, static_cast<std::size_t>(end - zero - 1)};
}

Bytes without_first(const Bytes& bytes, std::size_t count) {
  return bytes.size < count ? Bytes{} : Bytes{bytes.data + count, bytes.size - count};
}

std::string plain(const Bytes& bytes) {
  return {bytes.data, bytes.data + std::min(bytes.size, longest_text)};
}

/// The text of a tEXt, zTXt or iTXt chunk, without its keyword.
std::string text_of(const Chunk& chunk) {
  const Bytes content = behind_zero(chunk.data);
  if (chunk.type == "tEXt") return plain(content);
  if (chunk.type == "zTXt") return inflated(without_first(content, 1));
  const bool packed = content.size > 0 && content.data[0] != 0;
  const Bytes text = behind_zero(behind_zero(without_first(content, 2)));
  return packed ? inflated(text) : plain(text);
}

int digit(char letter) {
  if (std::isdigit(static_cast<unsigned char>(letter)) != 0) return letter - '0';
  if (letter >= 'a' && letter <= 'f') return letter - 'a' + 10;
  if (letter >= 'A' && letter <= 'F') return letter - 'A' + 10;
  return -1;
}

/// Parses "
/// exif
/// 40
/// 4578…": a name, the number of bytes, and the bytes in hexadecimal.
std::vector<std::uint8_t> raw_profile(const std::string& text) {
  std::size_t place = 0;
  for (int lines = 0; lines < 3; ++lines) {
    place = text.find('\n', place);
    if (place == std::string::npos) return {};
    ++place;
  }
  std::vector<std::uint8_t> bytes;
  int high = -1;
  for (; place < text.size(); ++place) {
    const int value = digit(text[place]);
    if (value < 0) continue;
    if (high >= 0) bytes.push_back(static_cast<std::uint8_t>(16 * high + value));
    high = high < 0 ? value : -1;
  }
  return bytes;
}

bool is_raw_profile(const Chunk& chunk) {
  if (chunk.type != "tEXt" && chunk.type != "zTXt" && chunk.type != "iTXt") return false;
  for (const char* name : {"Raw profile type exif", "Raw profile type APP1"}) {
    const std::size_t size = std::strlen(name) + 1;
    if (chunk.data.size > size && std::memcmp(chunk.data.data, name, size) == 0) return true;
  }
  return false;
}

}  // namespace

std::vector<std::uint8_t> png_exif(const Bytes& file) {
  std::vector<std::uint8_t> exif;
  for_each_chunk(file, [&](const Chunk& chunk) {
    const bool is_exif = chunk.type == "eXIf";
    if ((!is_exif && (!exif.empty() || !is_raw_profile(chunk))) || !has_right_checksum(chunk)) {
      return false;
    }
    if (is_exif) {
      exif.assign(chunk.data.data, chunk.data.data + chunk.data.size);
      return true;
    }
    auto profile = raw_profile(text_of(chunk));
    const std::string start(
        profile.begin(),
        profile.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(4, profile.size())));
    if (start == "Exif") exif = std::move(profile);
    return false;
  });
  return exif;
}

}  // namespace mlaan

// Files that tests write.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace mlaan::testing {

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  // Rewriting a file in place makes some file systems wait for the disk.
  std::filesystem::remove(path);
  std::ofstream(path, std::ios::binary) << bytes;
}

/// As gzip writes them.
inline std::string gzipped(const std::string& bytes) {
  constexpr int window_of_gzip = 15 + 16;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_of_gzip, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw std::runtime_error("cannot compress");
  }
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  std::string copy = bytes;
  stream.next_in = reinterpret_cast<unsigned char*>(copy.data());
  stream.avail_in = static_cast<unsigned>(copy.size());
  stream.next_out = reinterpret_cast<unsigned char*>(packed.data());
  stream.avail_out = static_cast<unsigned>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

/// The number at this place of a row of numbers that counts from 0 to 250 again and again.
inline int counted(std::size_t place) {
  return static_cast<int>(place % 251);
}

/// Bytes of which each is counted() of its place. \param first place.
inline std::string counting_bytes(std::size_t count, std::size_t first = 0) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes.push_back(static_cast<char>(counted(first + i)));
  return bytes;
}

/// The header of an IDX file of unsigned bytes.
inline std::string idx_header(const std::vector<std::uint32_t>& sizes) {
  std::string header{'\0', '\0', '\x08', static_cast<char>(sizes.size())};
  for (const auto size : sizes) {
    for (const int shift : {24, 16, 8, 0}) header.push_back(static_cast<char>(size >> shift & 255));
  }
  return header;
}

}  // namespace mlaan::testing

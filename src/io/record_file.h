// Files of records in TensorFlow's format: each record is between two checksums.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlaan {

/// CRC-32C (Castagnoli).
std::uint32_t crc32c(std::string_view bytes);

/// A record as stored in a file: its length, the masked checksum of the length, its bytes, and
/// their masked checksum; numbers are little-endian.
std::string framed_record(std::string_view bytes);

/// The records of a file, up to the first that is truncated or damaged.
std::vector<std::string_view> whole_records(std::string_view file);

}  // namespace mlaan

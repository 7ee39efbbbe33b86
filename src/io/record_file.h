// Files of records as TensorFlow writes them: each record between two checksums.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mlaan {

/// The Castagnoli checksum.
std::uint32_t crc32c(std::string_view bytes);

/// A record as it stands in the file: its length, that number's masked checksum, its bytes, and
/// their masked checksum; numbers with the lowest byte first.
std::string framed_record(std::string_view bytes);

/// The records of a file, up to the first that is cut short or damaged.
std::vector<std::string_view> whole_records(std::string_view file);

}  // namespace mlaan

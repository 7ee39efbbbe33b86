// Files of records in TensorFlow's format: each record is between two checksums.
#include "io/record_file.h"

#include <array>

namespace mlaan {
namespace {

constexpr std::size_t record_length_bytes = 8;
constexpr std::size_t record_checksum_bytes = 4;

std::array<std::uint32_t, 256> make_crc32c_table() {
  constexpr std::uint32_t polynomial = 0x82f63b78;  // bit-reversed
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ ((value & 1U) != 0 ? polynomial : 0);
    table.at(byte) = value;
  }
  return table;
}

/// A CRC over data that contains a CRC is weak, so stored checksums are masked.
std::uint32_t masked(std::uint32_t checksum) {
  return (checksum >> 15 | checksum << 17) + 0xa282ead8U;
}

std::string lowest_byte_first(std::uint64_t value, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

std::uint64_t number_of(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  }
  return value;
}

bool fits(std::string_view bytes, std::string_view checksum) {
  return number_of(checksum) == masked(crc32c(bytes));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static const auto table = make_crc32c_table();
  std::uint32_t checksum = 0xffffffffU;
  for (const char byte : bytes) {
    checksum = table.at((checksum ^ static_cast<unsigned char>(byte)) & 0xffU) ^ checksum >> 8;
  }
  return ~checksum;
}

std::string framed_record(std::string_view bytes) {
  const std::string length = lowest_byte_first(bytes.size(), record_length_bytes);
  std::string record = length + lowest_byte_first(masked(crc32c(length)), record_checksum_bytes);
  record += bytes;
  return record + lowest_byte_first(masked(crc32c(bytes)), record_checksum_bytes);
}

std::vector<std::string_view> whole_records(std::string_view file) {
  constexpr std::size_t head = record_length_bytes + record_checksum_bytes;
  std::vector<std::string_view> records;
  while (file.size() >= head + record_checksum_bytes) {
    const std::string_view length = file.substr(0, record_length_bytes);
    if (!fits(length, file.substr(record_length_bytes, record_checksum_bytes))) break;
    const std::uint64_t size = number_of(length);
    if (size > file.size() - head - record_checksum_bytes) break;
    const std::string_view record = file.substr(head, size);
    if (!fits(record, file.substr(head + size, record_checksum_bytes))) break;
    records.push_back(record);
    file.remove_prefix(head + size + record_checksum_bytes);
  }
  return records;
}

}  // namespace mlaan

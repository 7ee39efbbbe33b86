// Reads and writes messages in the wire format of Protocol Buffers.
#include "io/protobuf.h"

#include <mlaan/core/error.h>

#include <cstring>

namespace mlaan {

void ProtobufWriter::varint(std::uint64_t value) {
  while (value >= 0x80) {
    bytes_ += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  bytes_ += static_cast<char>(value);
}

void ProtobufWriter::fixed(std::uint64_t value, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) bytes_ += static_cast<char>(value >> (8 * i));
}

void ProtobufWriter::key(int field, Wire wire) {
  varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
}

void ProtobufWriter::integer(int field, std::int64_t value) {
  key(field, Wire::varint);
  varint(static_cast<std::uint64_t>(value));
}

void ProtobufWriter::float32(int field, float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  key(field, Wire::fixed32);
  fixed(bits, sizeof bits);
}

void ProtobufWriter::float64(int field, double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  key(field, Wire::fixed64);
  fixed(bits, sizeof bits);
}

void ProtobufWriter::text(int field, std::string_view value) {
  key(field, Wire::delimited);
  varint(value.size());
  bytes_ += value;
}

std::uint64_t ProtobufReader::take_varint(std::string_view& packed) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64 && !packed.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(packed.front());
    packed.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw UserError("it has an unterminated number");
}

std::uint64_t ProtobufReader::take_fixed(std::size_t count) {
  if (rest_.size() < count) throw UserError("it is cut short");
  std::uint64_t value = 0;
  for (std::size_t i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(count);
  return value;
}

bool ProtobufReader::next() {
  if (rest_.empty()) return false;
  const std::uint64_t key = take_varint(rest_);
  if (key >> 3 == 0 || key >> 32 != 0) throw UserError("it has a field without a number");
  field_ = static_cast<int>(key >> 3);
  bytes_ = {};
  switch (key & 7) {
    case 0:
      number_ = take_varint(rest_);
      return true;
    case 1:
      number_ = take_fixed(8);
      return true;
    case 2: {
      const std::uint64_t size = take_varint(rest_);
      if (size > rest_.size()) throw UserError("it is cut short");
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
    case 5:
      number_ = take_fixed(4);
      return true;
    default:
      throw UserError("it has a field of a kind that does not exist");
  }
}

}  // namespace mlaan

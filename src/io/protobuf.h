// Reads and writes the wire format of Protocol Buffers, which TensorBoard and ONNX use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mlaan {

/// Writes a message field by field. Fields may come in any order, and the items of a repeated field
/// are written one after the other.
class ProtobufWriter {
 public:
  /// int32, int64, bool or enum.
  void integer(int field, std::int64_t value);
  void float32(int field, float value);
  void float64(int field, double value);
  /// string or bytes.
  void text(int field, std::string_view value);
  void message(int field, const ProtobufWriter& value) { text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  enum class Wire : std::uint8_t { varint = 0, fixed64 = 1, delimited = 2, fixed32 = 5 };

  void key(int field, Wire wire);
  void varint(std::uint64_t value);
  void fixed(std::uint64_t value, std::size_t count);

  std::string bytes_;
};

/// Iterates over the fields of a message.
class ProtobufReader {
 public:
  /// \param bytes of the message, which must outlive the reader.
  explicit ProtobufReader(std::string_view bytes) : rest_(bytes) {}

  /// Advances to the next field. \return false after the last.
  /// \throws UserError for malformed bytes.
  bool next();

  int field() const { return field_; }
  /// The value of a numeric field that is not packed; for fixed32 and fixed64, the bits.
  std::uint64_t number() const { return number_; }
  /// The content of a string, bytes or message field, or of packed numbers.
  std::string_view bytes() const { return bytes_; }

  /// Reads a number from packed numbers and advances. \param packed the rest of bytes().
  static std::uint64_t take_varint(std::string_view& packed);

 private:
  std::uint64_t take_fixed(std::size_t count);

  std::string_view rest_;
  int field_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace mlaan

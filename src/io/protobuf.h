// Messages of Protocol Buffers, as their wire format lays them out: what TensorBoard and ONNX read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mlaan {

/// A message under construction, field by field. Fields of a message may come in any order, and
/// repeated ones are written one after the other.
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

/// Goes through the fields of a message.
class ProtobufReader {
 public:
  /// \param bytes of the message, which must outlive the reader.
  explicit ProtobufReader(std::string_view bytes) : rest_(bytes) {}

  /// Goes on to the next field. \return false behind the last.
  /// \throws UserError for bytes that are no message.
  bool next();

  int field() const { return field_; }
  /// Of a field that is no string, bytes or message; a fixed one's bits.
  std::uint64_t number() const { return number_; }
  /// Of a field that is a string, bytes or a message; of numbers that are packed, too.
  std::string_view bytes() const { return bytes_; }

  /// The next number of a packed field. \param packed what is left of bytes().
  static std::uint64_t take_varint(std::string_view& packed);

 private:
  std::uint64_t take_fixed(std::size_t count);

  std::string_view rest_;
  int field_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace mlaan

// Text of arbitrary bytes, such as file names: converted to UTF-8 and back, and made printable.
#include "core/byte_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace mlaan {
namespace {

constexpr std::uint32_t replaced_zero = 0xF700;

unsigned byte_at(const std::string& text, std::size_t place) {
  return static_cast<unsigned char>(text[place]);
}

/// A UTF-8 character; `length` is 0 if there is none.
struct Character {
  std::size_t length = 0;
  std::uint32_t number = 0;
};

Character character_at(const std::string& text, std::size_t place) {
  const unsigned first = byte_at(text, place);
  if (first < 0x80) return {1, first};
  const std::size_t length = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 0 || first > 0xF4 || place + length > text.size()) return {};
  std::uint32_t number = first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const unsigned next = byte_at(text, place + i);
    if ((next & 0xC0U) != 0x80) return {};
    number = number << 6U | (next & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = number >= 0xD800 && number < 0xE000;
  if (number < least.at(length) || is_surrogate || number > 0x10FFFF) return {};
  return {length, number};
}

bool stands_for_a_byte(std::uint32_t number) {
  return number >= replaced_zero + 0x80 && number <= replaced_zero + 0xFF;
}

/// The character that stands for a byte. Its UTF-8 has three bytes, as it does for all characters
/// from U+0800 to U+FFFF.
std::string stand_in(unsigned byte) {
  const std::uint32_t number = replaced_zero + byte;
  return {static_cast<char>(0xE0U | number >> 12U),
          static_cast<char>(0x80U | (number >> 6U & 0x3FU)),
          static_cast<char>(0x80U | (number & 0x3FU))};
}

std::string hexadecimal(unsigned byte) {
  constexpr const char* digits = "0123456789abcdef";
  return {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
}

std::string escaped(const std::string& bytes) {
  if (bytes == "\n") return "\\n";
  if (bytes == "\r") return "\\r";
  if (bytes == "\t") return "\\t";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) text += hexadecimal(byte_at(bytes, i));
  return text;
}

bool is_control(std::uint32_t number) {
  return number < 0x20 || (number >= 0x7F && number < 0xA0);
}

}  // namespace

std::string utf8_of(const std::string& bytes) {
  std::string text;
  for (std::size_t place = 0; place < bytes.size();) {
    const Character character = character_at(bytes, place);
    const std::size_t length = std::max<std::size_t>(1, character.length);
    if (character.length > 0 && !stands_for_a_byte(character.number)) {
      text.append(bytes, place, length);
    } else {
      for (std::size_t i = 0; i < length; ++i) text += stand_in(byte_at(bytes, place + i));
    }
    place += length;
  }
  return text;
}

std::string bytes_of(const std::string& utf8) {
  std::string bytes;
  for (std::size_t place = 0; place < utf8.size();) {
    const Character character = character_at(utf8, place);
    const std::size_t length = std::max<std::size_t>(1, character.length);
    if (stands_for_a_byte(character.number)) {
      bytes += static_cast<char>(character.number - replaced_zero);
    } else {
      bytes.append(utf8, place, length);
    }
    place += length;
  }
  return bytes;
}

std::string printable(const std::string& bytes) {
  std::string text;
  for (std::size_t place = 0; place < bytes.size();) {
    const Character character = character_at(bytes, place);
    const std::size_t length = std::max<std::size_t>(1, character.length);
    const std::string piece = bytes.substr(place, length);
    text += character.length == 0 || is_control(character.number) ? escaped(piece) : piece;
    place += length;
  }
  return text;
}

}  // namespace mlaan

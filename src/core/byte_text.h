// Text of arbitrary bytes, such as file names: converted to UTF-8 and back, and made printable.
#pragma once

#include <string>

namespace mlaan {

/// The bytes as UTF-8. Each byte that belongs to no UTF-8 character becomes a character of the
/// private use area, U+F700 plus the byte (U+F780 to U+F7FF). The bytes of these very characters
/// are replaced likewise, so that different texts stay different. All other UTF-8 is unchanged.
std::string utf8_of(const std::string& bytes);

/// The inverse of utf8_of().
std::string bytes_of(const std::string& utf8);

/// The bytes on one line that is safe to print on a terminal: control characters as \n, \r, \t or
/// \x1b, and bytes that are not UTF-8 as \xe9.
std::string printable(const std::string& bytes);

}  // namespace mlaan

// Texts of any bytes, such as names of files: as UTF-8 and back, and as a line for people.
#pragma once

#include <string>

namespace mlaan {

/// The bytes as UTF-8. Those that belong to no character of UTF-8 become one of the private use
/// area each, U+F700 plus the byte (U+F780 to U+F7FF), and so do the bytes of these very
/// characters: no two texts become the same. Whatever is UTF-8 otherwise stays as it is.
std::string utf8_of(const std::string& bytes);

/// The bytes that utf8_of() has made this of.
std::string bytes_of(const std::string& utf8);

/// The bytes on one line that does nothing to a terminal: control characters as \n, \r, \t or \x1b,
/// and what is no UTF-8 as \xe9.
std::string printable(const std::string& bytes);

}  // namespace mlaan

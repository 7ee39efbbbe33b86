// Quotes text for a shell.
#include "cli/shell_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace mlaan::cli {
namespace {

bool is_plain(unsigned char letter) {
  return std::isalnum(letter) != 0 ||
         std::string("_-./:=,+@%").find(static_cast<char>(letter)) != std::string::npos;
}

/// $'…', in which all control characters are escaped, so that the word is one line.
std::string escaped(const std::string& text) {
  std::string word = "$'";
  for (const char letter : text) {
    const auto byte = static_cast<unsigned char>(letter);
    if (letter == '\'' || letter == '\\') {
      word += std::string("\\") + letter;
    } else if (std::iscntrl(byte) != 0) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", byte);
      word += code.data();
    } else {
      word += letter;
    }
  }
  return word + "'";
}

}  // namespace

std::string shell_word(const std::string& text) {
  const auto every = [&](const auto& test) { return std::all_of(text.begin(), text.end(), test); };
  if (!text.empty() && every([](unsigned char letter) { return is_plain(letter); })) return text;
  if (!every([](unsigned char letter) { return std::iscntrl(letter) == 0; })) return escaped(text);
  std::string word = "'";
  for (const char letter : text)
    word += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return word + "'";
}

}  // namespace mlaan::cli

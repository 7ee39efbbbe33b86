// Text without leading and trailing blanks.
#pragma once

#include <string>

namespace mlaan {

/// Removes spaces and tabs at both ends.
inline std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace mlaan

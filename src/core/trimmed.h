// Text without the blanks around it.
#pragma once

#include <string>

namespace mlaan {

/// Without spaces and tabs before and after.
inline std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace mlaan

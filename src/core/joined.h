// Joins texts with a separator, as in a list for people.
#pragma once

#include <string>

namespace mlaan {

/// \param words any container of texts.
template <class Words>
std::string joined(const Words& words, const std::string& between = " ") {
  std::string text;
  bool first = true;
  for (const std::string& word : words) {
    if (!first) text += between;
    first = false;
    text += word;
  }
  return text;
}

}  // namespace mlaan

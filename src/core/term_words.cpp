// The words after a term's name.
#include "core/term_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace mlaan {

TermWords::TermWords(const std::string& text, std::string what)
    : text_(text), what_(std::move(what)), term_(parse_words(text)) {}

std::string TermWords::next(const std::string& role) {
  auto& words = term_.words;
  if (words.empty()) fail("it lacks " + role);
  std::string word = words.front();
  words.erase(words.begin());
  return word;
}

std::int64_t TermWords::next_count(const std::string& role) {
  return count(next(role), role);
}

std::pair<std::int64_t, std::int64_t> TermWords::next_size(const std::string& role) {
  return size(next(role), role);
}

std::optional<double> TermWords::next_number_if_any(const std::string& role) {
  if (term_.words.empty()) return std::nullopt;
  return number(next(role), role);
}

bool TermWords::has(const std::string& word) {
  auto& words = term_.words;
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return false;
  words.erase(found);
  return true;
}

std::optional<std::string> TermWords::value_of(const std::string& key) {
  auto& words = term_.words;
  const auto found = std::find(words.begin(), words.end(), key);
  if (found == words.end()) return std::nullopt;
  if (found + 1 == words.end()) fail("nothing follows '" + key + "'");
  std::string value = *(found + 1);
  words.erase(found, found + 2);
  return value;
}

std::int64_t TermWords::count_of(const std::string& key, std::int64_t otherwise) {
  const auto value = value_of(key);
  return value ? count(*value, key) : otherwise;
}

std::optional<std::pair<std::int64_t, std::int64_t>> TermWords::size_of(const std::string& key,
                                                                        const std::string& role) {
  const auto value = value_of(key);
  if (!value) return std::nullopt;
  return size(*value, role);
}

std::optional<double> TermWords::number_of(const std::string& key, const std::string& role) {
  const auto value = value_of(key);
  if (!value) return std::nullopt;
  return number(*value, role);
}

void TermWords::finish() const {
  if (!term_.words.empty()) fail("'" + term_.words.front() + "' does not belong there");
}

void TermWords::fail(const std::string& why) const {
  throw UserError(what_ + " '" + text_ + "': " + why);
}

std::pair<std::int64_t, std::int64_t> TermWords::size(const std::string& word,
                                                      const std::string& role) const {
  const auto cross = word.find('x');
  if (cross == std::string::npos) {
    fail("'" + word + "' is not a valid " + role + "; write it as 3x3");
  }
  return {count(word.substr(0, cross), role), count(word.substr(cross + 1), role)};
}

std::int64_t TermWords::count(const std::string& word, const std::string& role) const {
  std::int64_t number = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
  // The product of three counts still fits into 64 bits.
  constexpr std::int64_t most = 1 << 20;
  if (result.ec != std::errc() || result.ptr != word.data() + word.size() || number < 1 ||
      number > most) {
    fail("'" + word + "' is not a valid " + role + "; expected a whole number from 1 to " +
         std::to_string(most));
  }
  return number;
}

double TermWords::number(const std::string& word, const std::string& role) const {
  char* end = nullptr;
  const double number = std::strtod(word.c_str(), &end);
  if (*end != 0 || !std::isfinite(number)) {
    fail("'" + word + "' is not a valid " + role + "; expected a number");
  }
  return number;
}

}  // namespace mlaan

// Parses untrusted TOML texts.
#include "train/toml_text.h"

#include <mlaan/core/error.h>

#include <algorithm>
#include <string_view>

namespace mlaan {
namespace {

/// The parser destroys nested tables recursively, so a key of 40,000 parts, which makes as many
/// nested tables, overflows the stack. Each bracket can hold a key of `most_parts` parts.
constexpr int most_parts = 16;
constexpr int most_brackets = 16;

bool starts_with(const std::string& text, std::size_t place, std::string_view start) {
  return text.compare(place, start.size(), start) == 0;
}

/// The position after a quoted text or comment that begins here; `place` itself if none does.
std::size_t behind_text(const std::string& text, std::size_t place) {
  const char quote = text[place];
  if (quote == '#') return std::min(text.find('\n', place), text.size());
  if (quote != '"' && quote != '\'') return place;
  const std::string three(3, quote);
  const std::string end = starts_with(text, place, three) ? three : std::string(1, quote);
  std::size_t next = place + end.size();
  while (next < text.size() && !starts_with(text, next, end)) {
    if (end.size() == 1 && text[next] == '\n') return next;
    next += quote == '"' && text[next] == '\\' ? 2 : 1;
  }
  return std::min(next + end.size(), text.size());
}

void check_depth(const std::string& text, const std::string& name) {
  int parts = 1;
  int brackets = 0;
  std::size_t line = 1;
  for (std::size_t place = 0; place < text.size();) {
    const std::size_t behind = behind_text(text, place);
    if (behind > place) {
      line += static_cast<std::size_t>(
          std::count(text.begin() + static_cast<std::ptrdiff_t>(place),
                     text.begin() + static_cast<std::ptrdiff_t>(behind), '\n'));
      place = behind;
      continue;
    }
    const char letter = text[place++];
    if (letter == '\n') ++line;
    if (letter == '.') ++parts;
    if (std::string_view("=,[]{}\n").find(letter) != std::string_view::npos) parts = 1;
    if (letter == '[' || letter == '{') ++brackets;
    if (letter == ']' || letter == '}') --brackets;
    if (parts > most_parts || brackets > most_brackets) {
      throw UserError(name + ":" + std::to_string(line) +
                      ": tables or lists are nested too deeply; at most " +
                      std::to_string(most_parts) + " levels are allowed");
    }
  }
}

}  // namespace

std::string place_in(const std::string& name, const toml::source_region& source) {
  return name + ":" + std::to_string(source.begin.line) + ":" + std::to_string(source.begin.column);
}

toml::table parse_toml(const std::string& text, const std::string& name) {
  check_depth(text, name);
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw UserError(place_in(name, error.source()) + ": " + std::string(error.description()));
  }
}

}  // namespace mlaan

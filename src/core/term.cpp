// The one grammar of the small texts in settings and plans.
#include "core/trimmed.h"

#include <mlaan/core/term.h>

#include <algorithm>
#include <sstream>
#include <tuple>

namespace mlaan {
namespace {

/// Splits a text at separators that are neither in brackets nor in quotes.
std::vector<std::string> split(const std::string& text, char separator, const std::string& what) {
  std::vector<std::string> pieces{""};
  int depth = 0;
  char quote = 0;
  for (const char letter : text) {
    if (quote != 0) {
      if (letter == quote) quote = 0;
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
    } else if (letter == '[') {
      ++depth;
    } else if (letter == ']') {
      --depth;
    }
    if (letter == separator && depth == 0 && quote == 0) {
      pieces.emplace_back();
    } else {
      pieces.back() += letter;
    }
  }
  if (depth != 0 || quote != 0) {
    throw UserError(what + " '" + text + "' has a " + (quote != 0 ? "quote" : "bracket") +
                    " without its other half");
  }
  for (auto& piece : pieces) piece = trimmed(piece);
  return pieces;
}

std::string text_of_words(const Term& term) {
  std::string text = term.name;
  for (const auto& word : term.words) text += " " + word;
  return text;
}

std::string text_of_settings(const Term& term) {
  std::string text = term.name;
  for (const auto& [key, value] : term.settings) text += ":" + key + "=" + value;
  return text;
}

bool reads_back(const Term& term, const std::string& text) {
  try {
    return (term.words.empty() ? parse_settings(text, "term") : parse_words(text)) == term;
  } catch (const UserError&) {
    return false;
  }
}

}  // namespace

bool operator==(const Term& left, const Term& right) {
  return std::tie(left.name, left.words, left.settings) ==
         std::tie(right.name, right.words, right.settings);
}

Term parse_words(const std::string& text) {
  Term term;
  std::istringstream stream(text);
  stream >> term.name;
  for (std::string word; stream >> word;) term.words.push_back(word);
  return term;
}

Term parse_settings(const std::string& text, const std::string& what) {
  const auto pieces = split(text, ':', what);
  Term term;
  term.name = pieces.front();
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const auto equals = pieces[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UserError(what + " '" + text + "': '" + pieces[i] +
                      "' is not an assignment; write NAME:key=value:key=value");
    }
    const std::string key = trimmed(pieces[i].substr(0, equals));
    for (const auto& setting : term.settings) {
      if (setting.first == key) {
        throw UserError(what + " '" + text + "': " + key + " is given twice");
      }
    }
    term.settings.emplace_back(key, trimmed(pieces[i].substr(equals + 1)));
  }
  return term;
}

std::string to_text(const Term& term) {
  const std::string text = term.settings.empty() ? text_of_words(term) : text_of_settings(term);
  if (reads_back(term, text)) return text;
  throw Error("'" + text + "' would be read back as something else");
}

std::vector<std::string> split_list(const std::string& list, const std::string& what) {
  auto pieces = split(list, ',', what);
  pieces.erase(std::remove(pieces.begin(), pieces.end(), ""), pieces.end());
  return pieces;
}

}  // namespace mlaan

// The grammar of the short texts in settings and plans.
//
//     layers, losses           NAME WORD WORD …           conv 3x3 32 stride 2
//     heads                    NAME                       1c2f
//     models, methods          NAME:key=value:key=value   vit_tiny:patch=8:pool=mean
//     lists of methods         TERM, TERM, …              e2e, lam:lam.rows=["a b", "c"]
//
// Colons and commas within square brackets or quotes do not separate. Brackets, quotes and the text
// within are kept as they are written.
#pragma once

#include <mlaan/core/error.h>

#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// A key and its value in TOML syntax; strings may also be written without quotes.
using Assignment = std::pair<std::string, std::string>;

/// A name followed by words or by settings.
struct Term {
  std::string name;
  std::vector<std::string> words;
  std::vector<Assignment> settings;
};

bool operator==(const Term& left, const Term& right);

/// Parses NAME WORD WORD …, separated by white space. An empty text yields an empty name.
Term parse_words(const std::string& text);

/// Parses NAME:key=value:key=value. The name may contain blanks, as paths do.
/// \param what the text is, for messages: "model".
/// \throws UserError if a piece is not an assignment, a key occurs twice, or a bracket or quote is
///         not closed.
Term parse_settings(const std::string& text, const std::string& what);

/// The text from which the term can be parsed again.
/// \throws Error for a term with both words and settings, or one whose text would not parse back:
///         an empty word, a name with a colon.
std::string to_text(const Term& term);

/// Splits a list into the texts of its terms, without empty ones.
/// \param what the list is, for messages.
/// \throws UserError if a bracket or quote is not closed.
std::vector<std::string> split_list(const std::string& list, const std::string& what);

}  // namespace mlaan

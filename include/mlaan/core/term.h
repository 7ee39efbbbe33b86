// The one grammar of the small texts in settings and plans.
//
//     layers, losses, heads    NAME WORD WORD …           conv 3x3 32 stride 2
//     models, methods          NAME:key=value:key=value   vit_tiny:patch=8:pool=mean
//     lists of methods         TERM, TERM, …              e2e, lam:lam.rows=["a b", "c"]
//
// Colons and commas within square brackets or quotes belong to what they stand in, which is kept as
// it was written, quotes included.
#pragma once

#include <mlaan/core/error.h>

#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// A key and its value as it would stand in a TOML file; texts may go without quotes.
using Assignment = std::pair<std::string, std::string>;

/// A name and what stands behind it: words, or settings.
struct Term {
  std::string name;
  std::vector<std::string> words;
  std::vector<Assignment> settings;
};

bool operator==(const Term& left, const Term& right);

/// Reads NAME WORD WORD …, which any blanks part. An empty text gives an empty name.
Term parse_words(const std::string& text);

/// Reads NAME:key=value:key=value. A name may have blanks in it, as paths do.
/// \param what the text is, for messages: "model".
/// \throws UserError where a piece is no assignment, a key is given twice, or a bracket or quote
///         lacks its other half.
Term parse_settings(const std::string& text, const std::string& what);

/// \throws Error for a term with words and settings, or one that would not read back: an empty
///         word, a name with a colon.
std::string to_text(const Term& term);

/// The terms of a list, as text; empty ones are left out.
/// \throws UserError as parse_settings().
std::vector<std::string> split_list(const std::string& list, const std::string& what);

}  // namespace mlaan

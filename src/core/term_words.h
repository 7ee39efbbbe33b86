// The words after a term's name.
#pragma once

#include <mlaan/core/term.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// The words after a term's name, consumed one after the other. A function that consumes a word
/// throws a UserError that quotes the text if the word is missing or not what it has to be.
class TermWords {
 public:
  /// \param what kind of thing the text describes, for messages: "layer".
  TermWords(const std::string& text, std::string what);

  const std::string& name() const { return term_.name; }

  /// Consumes the next word. \param role what the word has to be, for messages.
  std::string next(const std::string& role);
  std::int64_t next_count(const std::string& role);
  /// A size as in "3x3".
  std::pair<std::int64_t, std::int64_t> next_size(const std::string& role);
  /// Consumes the next word as a number, if there is one.
  std::optional<double> next_number_if_any(const std::string& role);

  /// Whether the word is among the remaining ones; consumes it.
  bool has(const std::string& word);
  /// Consumes `key` and the word after it, if `key` is among the remaining words.
  std::optional<std::string> value_of(const std::string& key);
  std::int64_t count_of(const std::string& key, std::int64_t otherwise);
  /// A size as in "3x3".
  std::optional<std::pair<std::int64_t, std::int64_t>> size_of(const std::string& key,
                                                               const std::string& role);
  std::optional<double> number_of(const std::string& key, const std::string& role);

  /// Throws if words remain.
  void finish() const;

  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::pair<std::int64_t, std::int64_t> size(const std::string& word,
                                             const std::string& role) const;
  std::int64_t count(const std::string& word, const std::string& role) const;
  double number(const std::string& word, const std::string& role) const;

  std::string text_;
  std::string what_;
  Term term_;
};

}  // namespace mlaan

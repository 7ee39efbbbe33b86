// The words behind a term's name.
#pragma once

#include <mlaan/core/term.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// The words behind a term's name, taken one after the other. Every function that takes one throws
/// a UserError that names the text where the word is missing or is not what it has to be.
class TermWords {
 public:
  /// \param what the text is, for messages: "layer".
  TermWords(const std::string& text, std::string what);

  const std::string& name() const { return term_.name; }

  /// The next word. \param role what it is to be, for messages.
  std::string next(const std::string& role);
  std::int64_t next_count(const std::string& role);
  /// "3x3"
  std::pair<std::int64_t, std::int64_t> next_size(const std::string& role);
  /// The next word as a number, where there is one.
  std::optional<double> next_number_if_any(const std::string& role);

  /// Whether the word stands among those left; takes it.
  bool has(const std::string& word);
  /// The word behind `key`, where that stands among those left.
  std::optional<std::string> value_of(const std::string& key);
  std::int64_t count_of(const std::string& key, std::int64_t otherwise);
  /// "3x3"
  std::optional<std::pair<std::int64_t, std::int64_t>> size_of(const std::string& key,
                                                               const std::string& role);
  std::optional<double> number_of(const std::string& key, const std::string& role);

  /// Expects that no word is left.
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

// The words of one layer's text.
#pragma once

#include <mlaan/nn/upsampled_convolution.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// The words of one layer's text, taken one after the other. Every function that takes one throws a
/// UserError that names the text where the word is missing or is not what it has to be.
class LayerWords {
 public:
  explicit LayerWords(const std::string& text);

  /// The next word. \param what it is to be, for messages.
  std::string next(const std::string& what);
  std::int64_t next_count(const std::string& what);
  /// "3x3"
  std::pair<std::int64_t, std::int64_t> next_size(const std::string& what);

  /// Whether the word stands among those left; takes it.
  bool has(const std::string& word);
  /// The word behind `key`, where that stands among those left.
  std::optional<std::string> value_of(const std::string& key);
  std::int64_t count_of(const std::string& key, std::int64_t otherwise);
  /// The size of a map behind `key`, where that stands among the words left.
  std::optional<MapSize> map_size_of(const std::string& key);
  /// The twin's momentum, where a twin is asked for.
  std::optional<double> twin();

  /// Expects that no word is left.
  void finish() const;

  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::pair<std::int64_t, std::int64_t> size(const std::string& word,
                                             const std::string& what) const;
  std::int64_t count(const std::string& word, const std::string& what) const;

  std::string text_;
  std::vector<std::string> words_;
};

}  // namespace mlaan

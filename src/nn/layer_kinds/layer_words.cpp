// The words of one layer's text.
#include "nn/layer_kinds/layer_words.h"

#include <mlaan/core/error.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

namespace mlaan {

LayerWords::LayerWords(const std::string& text) : text_(text) {
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words_.push_back(word);
}

std::string LayerWords::next(const std::string& what) {
  if (words_.empty()) fail("it lacks " + what);
  std::string word = words_.front();
  words_.erase(words_.begin());
  return word;
}

std::int64_t LayerWords::next_count(const std::string& what) {
  return count(next(what), what);
}

std::pair<std::int64_t, std::int64_t> LayerWords::next_size(const std::string& what) {
  return size(next(what), what);
}

bool LayerWords::has(const std::string& word) {
  const auto found = std::find(words_.begin(), words_.end(), word);
  if (found == words_.end()) return false;
  words_.erase(found);
  return true;
}

std::optional<std::string> LayerWords::value_of(const std::string& key) {
  const auto found = std::find(words_.begin(), words_.end(), key);
  if (found == words_.end()) return std::nullopt;
  if (found + 1 == words_.end()) fail("nothing follows '" + key + "'");
  std::string value = *(found + 1);
  words_.erase(found, found + 2);
  return value;
}

std::int64_t LayerWords::count_of(const std::string& key, std::int64_t otherwise) {
  const auto value = value_of(key);
  return value ? count(*value, key) : otherwise;
}

std::optional<MapSize> LayerWords::map_size_of(const std::string& key) {
  const auto value = value_of(key);
  if (!value) return std::nullopt;
  const auto [rows, columns] = size(*value, "size of the map");
  return MapSize{rows, columns};
}

std::optional<double> LayerWords::twin() {
  const auto value = value_of("twin");
  if (!value) return std::nullopt;
  char* end = nullptr;
  const double momentum = std::strtod(value->c_str(), &end);
  if (*end != 0 || !(momentum >= 0 && momentum <= 1)) {
    fail("the momentum of a twin must be a number from 0 to 1, not '" + *value + "'");
  }
  return momentum;
}

void LayerWords::finish() const {
  if (!words_.empty()) fail("'" + words_.front() + "' does not belong there");
}

void LayerWords::fail(const std::string& why) const {
  throw UserError("layer '" + text_ + "': " + why);
}

std::pair<std::int64_t, std::int64_t> LayerWords::size(const std::string& word,
                                                       const std::string& what) const {
  const auto cross = word.find('x');
  if (cross == std::string::npos) fail("'" + word + "' is no " + what + "; write it as 3x3");
  return {count(word.substr(0, cross), what), count(word.substr(cross + 1), what)};
}

std::int64_t LayerWords::count(const std::string& word, const std::string& what) const {
  std::int64_t number = 0;
  const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
  // Products of three of them can still be counted.
  constexpr std::int64_t most = 1 << 20;
  if (result.ec != std::errc() || result.ptr != word.data() + word.size() || number < 1 ||
      number > most) {
    fail("'" + word + "' is no " + what + "; expected a whole number from 1 to " +
         std::to_string(most));
  }
  return number;
}

}  // namespace mlaan

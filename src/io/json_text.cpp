// JSON documents whose strings may hold any bytes, such as file names.
#include "io/json_text.h"

#include "core/byte_text.h"

#include <mlaan/core/error.h>

#include <cctype>
#include <set>
#include <vector>

namespace mlaan {
namespace {

using nlohmann::ordered_json;

/// Applies a function to every key and every string of a document.
template <class Document, class Change>
Document with_texts(const Document& document, const Change& change) {
  if (document.is_string()) return change(document.template get<std::string>());
  if (document.is_array()) {
    Document changed = Document::array();
    for (const auto& item : document) changed.push_back(with_texts(item, change));
    return changed;
  }
  if (!document.is_object()) return document;
  Document changed = Document::object();
  for (const auto& item : document.items()) {
    changed[change(item.key())] = with_texts(item.value(), change);
  }
  return changed;
}

bool is_hexadecimal(const std::string& text, std::size_t place) {
  return place < text.size() && std::isxdigit(static_cast<unsigned char>(text[place])) != 0;
}

/// The value of the escape \uXXXX at this position; −1 if there is none.
int escaped_number(const std::string& text, std::size_t place) {
  if (text.compare(place, 2, "\\u") != 0) return -1;
  for (std::size_t i = 2; i < 6; ++i) {
    if (!is_hexadecimal(text, place + i)) return -1;
  }
  return std::stoi(text.substr(place + 2, 4), nullptr, 16);
}

/// Writes the characters that stand for single bytes as escapes.
std::string with_escapes(const std::string& text) {
  constexpr const char* digits = "0123456789abcdef";
  std::string escaped;
  for (std::size_t place = 0; place < text.size();) {
    // U+F780 to U+F7FF begin with one of these pairs of bytes in UTF-8.
    const bool is_stand_in =
        text.compare(place, 2, "\xEF\x9E") == 0 || text.compare(place, 2, "\xEF\x9F") == 0;
    if (!is_stand_in) {
      escaped += text[place++];
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes_of(text.substr(place, 3)).at(0));
    escaped += std::string("\\udc") + digits[byte >> 4] + digits[byte & 15];
    place += 3;
  }
  return escaped;
}

/// Undoes with_escapes().
std::string without_escapes(const std::string& text) {
  std::string plain;
  for (std::size_t place = 0; place < text.size();) {
    if (text[place] != '\\') {
      plain += text[place++];
      continue;
    }
    const int number = escaped_number(text, place);
    const bool begins_pair = number >= 0xD800 && number < 0xDC00;
    const std::size_t length = begins_pair ? 12 : number >= 0 ? 6 : 2;
    if (number >= 0xDC80 && number <= 0xDCFF) {
      plain += utf8_of(std::string(1, static_cast<char>(number & 0xFF)));
    } else {
      plain += text.substr(place, length);
    }
    place += length;
  }
  return plain;
}

/// Refuses duplicate keys, of which readers would take either. Malformed JSON is left to the
/// parser.
class Strict : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t) override { return enter(); }
  bool end_array() override { return leave(); }
  bool key(string_t& name) override {
    if (keys_.back().insert(name).second) return true;
    throw UserError("it has the key '" + bytes_of(name) + "' twice");
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  bool enter() {
    constexpr std::size_t deepest = 64;
    keys_.emplace_back();
    if (keys_.size() <= deepest) return true;
    throw UserError("it is nested deeper than " + std::to_string(deepest));
  }
  bool leave() {
    keys_.pop_back();
    return true;
  }

  std::vector<std::set<std::string>> keys_;  ///< keys of each object or list around here
};

}  // namespace

std::string json_text(const ordered_json& document, int indent) {
  return with_escapes(with_texts(document, utf8_of).dump(indent));
}

nlohmann::json parse_json(const std::string& text) {
  const std::string plain = without_escapes(text);
  // In a pass of its own: with a callback, the parser compares each object with all before it.
  Strict strict;
  nlohmann::json::sax_parse(plain, &strict);
  return with_texts(nlohmann::json::parse(plain), bytes_of);
}

}  // namespace mlaan

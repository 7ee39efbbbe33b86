// Options as plain structs whose fields carry their key, default, meaning and accepted values.
#include "core/byte_text.h"
#include "core/trimmed.h"
#include "core/undefined_number.h"

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>
#include <mlaan/core/suggest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace mlaan {
namespace {

std::string number_text(double value) {
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), result.ptr};
}

/// Like number_text(), but whole numbers have no exponent.
std::string bound_text(double value) {
  constexpr double most = 1e15;
  if (value != std::floor(value) || std::abs(value) > most) return number_text(value);
  return std::to_string(static_cast<std::int64_t>(value));
}

double as_number(const OptionValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return undefined_number;
}

/// Escapes characters that a TOML string cannot contain, and those that stand for bytes.
std::string escaped_for_toml(const std::string& character) {
  if (character == "\"") return "\\\"";
  if (character == "\\") return "\\\\";
  if (character == "\n") return "\\n";
  if (character == "\t") return "\\t";
  std::array<char, 16> text{};
  if (character.size() == 1) {
    const auto number = static_cast<unsigned>(static_cast<unsigned char>(character[0]));
    if (number >= 0x20 && number != 0x7F) return character;
    std::snprintf(text.data(), text.size(), "\\u%04X", number);
    return text.data();
  }
  const auto byte = static_cast<unsigned>(static_cast<unsigned char>(bytes_of(character)[0]));
  std::snprintf(text.data(), text.size(), "\\uF7%02X", byte);
  return text.data();
}

std::string quoted(const std::string& bytes) {
  const std::string text = utf8_of(bytes);
  std::string result = "\"";
  for (std::size_t place = 0; place < text.size();) {
    // Characters that stand for bytes have three bytes in UTF-8, of which these are the first two.
    const bool is_stand_in =
        text.compare(place, 2, "\xEF\x9E") == 0 || text.compare(place, 2, "\xEF\x9F") == 0;
    const std::size_t length = is_stand_in ? 3 : 1;
    const bool continues = (static_cast<unsigned char>(text[place]) & 0x80U) != 0 && !is_stand_in;
    const std::string character = text.substr(place, length);
    result += continues ? character : escaped_for_toml(character);
    place += length;
  }
  return result + "\"";
}

const char* type_name(const OptionValue& value) {
  static constexpr std::array<const char*, 5> names{"true or false", "integer", "number", "text",
                                                    "list of texts"};
  return names.at(value.index());
}

[[noreturn]] void reject(const Field& field, const std::string& given) {
  throw UserError(field.key + " = " + given + " is not accepted; expected " + field.accepted());
}

bool parse_integer(const std::string& text, std::int64_t& value) {
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc() && result.ptr == text.data() + text.size();
}

bool parse_real(const std::string& text, double& value) {
  char* end = nullptr;
  value = std::strtod(text.c_str(), &end);
  return !text.empty() && end == text.c_str() + text.size();
}

std::string unquoted(const std::string& text) {
  const bool is_quoted = text.size() >= 2 && text.front() == text.back() &&
                         (text.front() == '"' || text.front() == '\'');
  return is_quoted ? text.substr(1, text.size() - 2) : text;
}

/// Parses ["a", "b"] or a, b.
TextList parse_list(const std::string& text) {
  std::string body = trimmed(text);
  if (body.size() >= 2 && body.front() == '[' && body.back() == ']') {
    body = body.substr(1, body.size() - 2);
  }
  TextList items;
  std::size_t start = 0;
  while (start < body.size()) {
    const auto comma = std::min(body.find(',', start), body.size());
    const std::string item = unquoted(trimmed(body.substr(start, comma - start)));
    if (!item.empty()) items.push_back(item);
    start = comma + 1;
  }
  return items;
}

}  // namespace

Accepts anything() {
  return {[](const OptionValue&) { return true; }, ""};
}

Accepts at_least(double lowest) {
  return {[lowest](const OptionValue& value) { return as_number(value) >= lowest; },
          "at least " + number_text(lowest)};
}

Accepts above(double bound) {
  return {[bound](const OptionValue& value) { return as_number(value) > bound; },
          "above " + number_text(bound)};
}

Accepts between(double lowest, double highest) {
  return {[lowest, highest](const OptionValue& value) {
            return as_number(value) >= lowest && as_number(value) <= highest;
          },
          "from " + bound_text(lowest) + " to " + bound_text(highest)};
}

Accepts count_from(std::int64_t lowest) {
  constexpr double highest = 1e9;
  return between(static_cast<double>(lowest), highest);
}

Accepts one_of(std::vector<std::string> names) {
  std::string text = "one of";
  for (std::size_t i = 0; i < names.size(); ++i) text += (i == 0 ? " " : ", ") + names[i];
  return {[names = std::move(names)](const OptionValue& value) {
            const auto* name = std::get_if<std::string>(&value);
            return name != nullptr && std::find(names.begin(), names.end(), *name) != names.end();
          },
          text};
}

OptionValue Field::value() const {
  return std::visit([](auto* pointer) -> OptionValue { return *pointer; }, target);
}

std::string Field::accepted() const {
  std::string text = type_name(initial);
  if (!accepts.text.empty()) text += ", " + accepts.text;
  return text;
}

void Field::assign(const OptionValue& given) {
  OptionValue value = given;
  const bool is_whole_number_for_real =
      std::holds_alternative<double*>(target) && std::holds_alternative<std::int64_t>(value);
  if (is_whole_number_for_real) value = as_number(value);
  if (value.index() != target.index()) reject(*this, to_toml(given));
  const auto* real = std::get_if<double>(&value);
  if ((real != nullptr && !std::isfinite(*real)) || !accepts.test(value)) {
    reject(*this, to_toml(given));
  }
  std::visit(
      [&value](auto* pointer) { *pointer = std::get<std::decay_t<decltype(*pointer)>>(value); },
      target);
}

void Field::assign_text(const std::string& text) {
  if (std::holds_alternative<bool*>(target)) {
    if (text != "true" && text != "false") reject(*this, text);
    assign(text == "true");
  } else if (std::holds_alternative<std::int64_t*>(target)) {
    std::int64_t value = 0;
    if (!parse_integer(text, value)) reject(*this, text);
    assign(value);
  } else if (std::holds_alternative<double*>(target)) {
    double value = 0;
    if (!parse_real(text, value)) reject(*this, text);
    assign(value);
  } else if (std::holds_alternative<std::string*>(target)) {
    assign(unquoted(text));
  } else {
    assign(parse_list(text));
  }
}

std::string to_toml(const OptionValue& value) {
  struct Printer {
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t integer) const { return std::to_string(integer); }
    std::string operator()(double real) const {
      std::string text = number_text(real);
      // TOML distinguishes 1 (an integer) from 1.0 (a float).
      if (text.find_first_of(".en") == std::string::npos) text += ".0";
      return text;
    }
    std::string operator()(const std::string& text) const { return quoted(text); }
    std::string operator()(const TextList& items) const {
      std::string text = "[";
      for (std::size_t i = 0; i < items.size(); ++i)
        text += (i == 0 ? "" : ", ") + quoted(items[i]);
      return text + "]";
    }
  };
  return std::visit(Printer{}, value);
}

OptionSet::OptionSet(const OptionSet& other) {
  for (const auto& declare : other.declarations_) declare(*this);
  for (std::size_t i = 0; i < fields_.size(); ++i) fields_[i].assign(other.fields_[i].value());
}

OptionSet& OptionSet::operator=(const OptionSet& other) {
  *this = OptionSet(other);
  return *this;
}

std::vector<std::string> OptionSet::keys() const {
  std::vector<std::string> keys;
  keys.reserve(fields_.size());
  for (const auto& field : fields_) keys.push_back(field.key);
  return keys;
}

const Field& OptionSet::field(const std::string& key) const {
  const auto found = std::find_if(fields_.begin(), fields_.end(),
                                  [&key](const Field& field) { return field.key == key; });
  if (found == fields_.end()) throw UserError(unknown_name("configuration key", key, keys()));
  return *found;
}

Field& OptionSet::field(const std::string& key) {
  return const_cast<Field&>(std::as_const(*this).field(key));
}

void OptionSet::assign_text(const std::string& key, const std::string& text,
                            const std::string& origin) {
  try {
    field(key).assign_text(text);
  } catch (const UserError& error) {
    throw UserError(origin + ": " + error.what());
  }
}

}  // namespace mlaan

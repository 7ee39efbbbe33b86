// Tables of TOML files, read key by key.
#include "train/toml_section.h"

#include "core/byte_text.h"
#include "train/toml_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/suggest.h>

#include <algorithm>

namespace mlaan {

void TomlSection::allow(const std::vector<std::string>& keys) const {
  for (const auto& [key, node] : table_) {
    const std::string given(key.str());
    if (std::find(keys.begin(), keys.end(), given) != keys.end()) continue;
    fail(node, unknown_name("key of " + name_, given, keys));
  }
}

TomlSection TomlSection::section(const std::string& key) const {
  const auto* table = at(key).as_table();
  if (table == nullptr) fail(key, key + " must be a table");
  return TomlSection(*table, file_, key);
}

std::string TomlSection::text(const std::string& key) const {
  const toml::node& node = at(key);
  const auto value = node.value<std::string>();
  if (!node.is_string() || !value) fail(node, key + " must be a text");
  return bytes_of(*value);
}

double TomlSection::number(const std::string& key) const {
  const toml::node& node = at(key);
  const auto value = node.value<double>();
  if (!node.is_number() || !value) fail(node, key + " must be a number");
  return *value;
}

std::vector<std::string> TomlSection::texts(const std::string& key) const {
  std::vector<std::string> values;
  for (const auto& item : array(key)) {
    const auto value = item.value<std::string>();
    if (!item.is_string() || !value) fail(item, key + " must be a list of texts");
    values.push_back(bytes_of(*value));
  }
  return values;
}

std::pair<std::size_t, std::size_t> TomlSection::window(const std::string& key) const {
  std::vector<std::int64_t> numbers;
  for (const auto& item : array(key)) {
    const auto value = item.value<std::int64_t>();
    if (!item.is_integer() || !value || *value < 1) numbers.clear();
    if (value) numbers.push_back(*value);
  }
  if (numbers.size() != 2 || numbers[0] < 1) {
    fail(at(key), key + " must be two numbers of modules, the first and the last, from 1");
  }
  return {static_cast<std::size_t>(numbers[0] - 1), static_cast<std::size_t>(numbers[1] - 1)};
}

std::vector<TomlSection> TomlSection::sections(const std::string& key) const {
  std::vector<TomlSection> found;
  for (const auto& item : array(key)) {
    const auto* table = item.as_table();
    if (table == nullptr) fail(item, key + " must be tables, each under [[" + key + "]]");
    found.emplace_back(*table, file_, "[[" + key + "]]");
  }
  return found;
}

void TomlSection::fail(const std::string& key, const std::string& why) const {
  fail(at(key), why);
}

void TomlSection::fail(const toml::node& node, const std::string& why) const {
  throw UserError(place_in(file_, node.source()) + ": " + why);
}

const toml::node& TomlSection::at(const std::string& key) const {
  const auto* node = table_.get(key);
  if (node == nullptr) fail(table_, name_ + " lacks '" + key + "'");
  return *node;
}

const toml::array& TomlSection::array(const std::string& key) const {
  const toml::node& node = at(key);
  const auto* list = node.as_array();
  if (list == nullptr) fail(node, key + " must be a list");
  return *list;
}

}  // namespace mlaan

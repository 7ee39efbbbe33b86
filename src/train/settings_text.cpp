// Reads and writes settings as TOML.
#include "train/settings_text.h"

#include "core/byte_text.h"
#include "train/toml_text.h"

#include <mlaan/core/error.h>

namespace mlaan {
namespace {

OptionValue read_list(const toml::array& array, const std::string& key) {
  TextList items;
  for (const auto& item : array) {
    const auto text = item.value<std::string>();
    if (!item.is_string() || !text) throw UserError(key + ": expected a list of texts");
    items.push_back(bytes_of(*text));
  }
  return items;
}

OptionValue read_value(const toml::node& node, const std::string& key) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* real = node.as_floating_point()) return real->get();
  if (const auto* text = node.as_string()) return bytes_of(text->get());
  if (const auto* list = node.as_array()) return read_list(*list, key);
  throw UserError(key + " has a date or time for a value");
}

/// Calls `visit(key, node)` for every value of the table; keys begin with their section's name.
template <class Visit>
void for_each_value(const toml::table& table, const std::string& section, const Visit& visit) {
  for (const auto& [name, node] : table) {
    const std::string key =
        section.empty() ? std::string(name.str()) : section + "." + std::string(name.str());
    if (const auto* inner = node.as_table()) {
      for_each_value(*inner, key, visit);
    } else {
      visit(key, node);
    }
  }
}

std::string section_of(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? "" : key.substr(0, dot);
}

std::string name_of(const std::string& key) {
  const auto dot = key.rfind('.');
  return dot == std::string::npos ? key : key.substr(dot + 1);
}

}  // namespace

void assign_toml(OptionSet& options, const std::string& text, const std::string& name,
                 const std::function<void(const std::string& key)>& assigned) {
  const toml::table table = parse_toml(text, name);
  for_each_value(table, "", [&](const std::string& key, const toml::node& node) {
    try {
      options.field(key).assign(read_value(node, key));
    } catch (const UserError& error) {
      throw UserError(place_in(name, node.source()) + ": " + error.what());
    }
    assigned(key);
  });
}

std::string print_sections(
    const std::vector<Field>& fields,
    const std::function<std::string(const std::string& name, const Field& field)>& line) {
  std::string text;
  std::string section;
  for (const auto& field : fields) {
    if (section_of(field.key) != section) {
      section = section_of(field.key);
      text += "\n[" + section + "]\n";
    }
    text += line(name_of(field.key), field);
  }
  return text;
}

}  // namespace mlaan

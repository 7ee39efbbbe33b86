// Where the values of options come from: defaults, a configuration file, flags.
#include "core/byte_text.h"
#include "core/trimmed.h"
#include "train/toml_text.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/config.h>
#include <mlaan/train/options.h>

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

/// Calls `visit(key, node)` for every value of the table, with the sections' names in front.
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

/// A TOML file with one line a field: `line(field)` gives what follows "name = ".
template <class Line>
std::string print(const std::vector<Field>& fields, const Line& line) {
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

}  // namespace

Config::Config() {
  declare_all(options_);
}

void Config::apply_file(const std::filesystem::path& path) {
  apply_text(read_text(path), path.string());
}

void Config::apply_text(const std::string& text, const std::string& name) {
  const toml::table table = parse_toml(text, name);
  for_each_value(table, "", [&](const std::string& key, const toml::node& node) {
    try {
      options_.field(key).assign(read_value(node, key));
    } catch (const UserError& error) {
      throw UserError(place_in(name, node.source()) + ": " + error.what());
    }
    origins_[key] = name;
  });
}

void Config::apply(const std::string& key, const std::string& value, const std::string& origin) {
  try {
    options_.field(key).assign_text(value);
  } catch (const UserError& error) {
    throw UserError(origin + ": " + error.what());
  }
  origins_[key] = origin;
}

void Config::apply_assignment(const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UserError("--set '" + assignment + "' is no assignment; write --set key=value");
  }
  apply(trimmed(assignment.substr(0, equals)), trimmed(assignment.substr(equals + 1)), "--set");
}

Config Config::copy(const std::string& origin) const {
  Config copy;
  for (const auto& field : options_.fields()) {
    copy.options_.field(field.key).assign(field.value());
    copy.origins_[field.key] = origin;
  }
  return copy;
}

std::string Config::origin(const std::string& key) const {
  const auto found = origins_.find(key);
  return found == origins_.end() ? "default" : found->second;
}

std::string Config::to_toml() const {
  return print(options_.fields(), [this](const std::string& name, const Field& field) {
    return name + " = " + mlaan::to_toml(field.value()) + "  # " + printable(origin(field.key)) +
           "\n";
  });
}

std::string Config::schema() {
  const Config defaults;
  return print(defaults.options_.fields(), [](const std::string& name, const Field& field) {
    return "# " + field.help + " (" + field.accepted() + ")\n# " + name + " = " +
           mlaan::to_toml(field.initial) + "\n";
  });
}

}  // namespace mlaan

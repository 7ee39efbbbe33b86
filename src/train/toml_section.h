// Tables of TOML files, read key by key.
#pragma once

#include <toml++/toml.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// A table of a file, of which one key after the other is read. A key that is missing or of the
/// wrong type causes a UserError that names file, line and column.
class TomlSection {
 public:
  /// \param name of the table, for error messages: "[[net]]".
  TomlSection(const toml::table& table, std::string file, std::string name)
      : table_(table), file_(std::move(file)), name_(std::move(name)) {}

  /// \throws UserError for a key that is not among these.
  void allow(const std::vector<std::string>& keys) const;

  bool has(const std::string& key) const { return table_.contains(key); }
  bool is_table(const std::string& key) const { return at(key).is_table(); }

  /// The table of a key.
  TomlSection section(const std::string& key) const;

  std::string text(const std::string& key) const;

  double number(const std::string& key) const;

  std::vector<std::string> texts(const std::string& key) const;

  /// A pair of module numbers, counted from 1.
  std::pair<std::size_t, std::size_t> window(const std::string& key) const;

  /// The tables under [[key]].
  std::vector<TomlSection> sections(const std::string& key) const;

  [[noreturn]] void fail(const std::string& key, const std::string& why) const;

 private:
  [[noreturn]] void fail(const toml::node& node, const std::string& why) const;

  const toml::node& at(const std::string& key) const;

  const toml::array& array(const std::string& key) const;

  const toml::table& table_;
  std::string file_;
  std::string name_;
};

}  // namespace mlaan

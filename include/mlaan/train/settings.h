// The settings of a run, from which the network, plan, loaders and trainer are made.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/core/term.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// The values of all options, and where each of them comes from. Immutable: with() returns a
/// changed copy. Copies share their values.
class Settings {
 public:
  /// All defaults.
  Settings();
  /// \param origins of the keys that do not have their default: "--lr", a file's name.
  Settings(OptionSet values, std::map<std::string, std::string> origins);

  template <class T>
  const T& get() const {
    return values_->get<T>();
  }
  const OptionSet& options() const { return *values_; }
  /// \throws UserError for an unknown key.
  OptionValue value(const std::string& key) const { return values_->field(key).value(); }

  /// Where the value of a key comes from; "default" if it was not set.
  std::string origin(const std::string& key) const;

  /// All values as a TOML file, each with its origin in a comment.
  std::string to_toml() const;

  /// A copy with some values changed.
  /// \param origin of the changes: "--memory".
  /// \throws UserError naming the origin for an unknown key and a value that is not accepted.
  Settings with(const std::vector<Assignment>& changes, const std::string& origin) const;
  Settings with(const std::string& key, const std::string& value, const std::string& origin) const;

  /// A copy in which all values have this origin.
  Settings coming_from(const std::string& origin) const;

 private:
  std::shared_ptr<const OptionSet> values_;
  std::map<std::string, std::string> origins_;
};

/// The defaults overridden by a TOML text, such as the config.toml of a run.
/// \param name of the text in error messages.
/// \throws UserError as Config::apply_text().
Settings read_settings(const std::string& text, const std::string& name);
Settings read_settings(const std::filesystem::path& path);

}  // namespace mlaan

// The settings of a run: what a network, a plan, loaders and a trainer are made from.
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

/// Values of all options, and where each of them came from. Nothing changes them: who needs others
/// makes settings that have them. Copies share their values.
class Settings {
 public:
  /// All defaults.
  Settings();
  /// \param origins of the keys that are not at their default: "--lr", a file's name.
  Settings(OptionSet values, std::map<std::string, std::string> origins);

  template <class T>
  const T& get() const {
    return values_->get<T>();
  }
  const OptionSet& options() const { return *values_; }
  /// \throws UserError for an unknown key.
  OptionValue value(const std::string& key) const { return values_->field(key).value(); }

  /// Where the value of a key came from; "default" if from nowhere else.
  std::string origin(const std::string& key) const;

  /// All values as a TOML file, each with its origin in a comment.
  std::string to_toml() const;

  /// The same but for some values.
  /// \param origin what gives them: "--memory".
  /// \throws UserError naming the origin for an unknown key and a value that is not accepted.
  Settings with(const std::vector<Assignment>& changes, const std::string& origin) const;
  Settings with(const std::string& key, const std::string& value, const std::string& origin) const;

  /// The same values, all of which come from there.
  Settings coming_from(const std::string& origin) const;

 private:
  std::shared_ptr<const OptionSet> values_;
  std::map<std::string, std::string> origins_;
};

/// The settings that a TOML text makes of the defaults, such as the config.toml of a run.
/// \param name what messages call it.
/// \throws UserError as Config::apply_text().
Settings read_settings(const std::string& text, const std::string& name);
Settings read_settings(const std::filesystem::path& path);

}  // namespace mlaan

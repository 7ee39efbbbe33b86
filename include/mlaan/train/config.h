// Where the values of options come from: defaults, a configuration file, flags.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/train/settings.h>

#include <filesystem>
#include <map>
#include <string>

namespace mlaan {

/// Settings in the making: whatever is applied later wins.
class Config {
 public:
  /// All options, each with its default.
  Config();

  /// Takes every value of a TOML file.
  /// \throws UserError naming file, line and column for a text that is no TOML, an unknown key
  ///         (with the nearest known one) and a value that is not accepted.
  void apply_file(const std::filesystem::path& path);

  /// The same for a text. \param name what messages call it.
  void apply_text(const std::string& text, const std::string& name);

  /// Takes one value as it would stand in the file; strings may go without quotes.
  /// \param origin what gave it: "--lr".
  void apply(const std::string& key, const std::string& value, const std::string& origin);

  /// Takes "key=value".
  void apply_assignment(const std::string& assignment);

  /// Turns the paths of files that are named - data, weights, a scripted model - into absolute
  /// ones, so that a run can be used from any folder. What each value came from stays.
  void make_paths_absolute();

  /// The values so far.
  template <class T>
  const T& get() const {
    return options_.get<T>();
  }
  const OptionSet& options() const { return options_; }
  /// The values so far, as settings that what is applied later does not change.
  operator Settings() const { return {options_, origins_}; }  // NOLINT(google-explicit-constructor)

  /// All keys with default, meaning and accepted values, as a TOML file that can be edited.
  static std::string schema();

 private:
  OptionSet options_;
  std::map<std::string, std::string> origins_;
};

}  // namespace mlaan

// Collects the values of options from defaults, configuration files and flags.
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/train/settings.h>

#include <filesystem>
#include <map>
#include <string>

namespace mlaan {

/// The values of all options while they are collected; later values override earlier ones.
class Config {
 public:
  /// All options at their defaults.
  Config();

  /// Sets every value of a TOML file.
  /// \throws UserError naming file, line and column for invalid TOML, an unknown key (with the
  ///         nearest known one) and a value that is not accepted.
  void apply_file(const std::filesystem::path& path);

  /// The same as apply_file(), for a text.
  /// \param name of the text in error messages.
  void apply_text(const std::string& text, const std::string& name);

  /// Sets one value, written as in a file; strings may go without quotes.
  /// \param origin where the value comes from: "--lr".
  void apply(const std::string& key, const std::string& value, const std::string& origin);

  /// Sets a value from "key=value".
  void apply_assignment(const std::string& assignment);

  /// Makes the paths of files - data, weights, a scripted model - absolute, so that the run can be
  /// used from any folder. The origins of the values stay.
  void make_paths_absolute();

  /// The current values.
  template <class T>
  const T& get() const {
    return options_.get<T>();
  }
  const OptionSet& options() const { return options_; }
  /// A copy of the current values; later changes do not affect it.
  operator Settings() const { return {options_, origins_}; }  // NOLINT(google-explicit-constructor)

  /// All keys with default, meaning and accepted values, as a TOML file that can be edited.
  static std::string schema();

 private:
  OptionSet options_;
  std::map<std::string, std::string> origins_;
};

}  // namespace mlaan

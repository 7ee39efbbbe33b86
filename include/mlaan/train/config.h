// Where the values of options come from: defaults, a configuration file, flags.
#pragma once

#include <mlaan/core/options.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mlaan {

/// A set of options that remembers where each value came from. Whatever is applied later wins.
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

  /// A set of its own with the same values.
  /// \param origin where all of them come from in the copy.
  Config copy(const std::string& origin) const;

  /// The values.
  OptionSet& options() { return options_; }
  template <class T>
  T& get() {
    return options_.get<T>();
  }

  /// Where the value of a key came from; "default" if from nowhere else.
  std::string origin(const std::string& key) const;

  /// All values as a TOML file, each with its origin in a comment.
  std::string to_toml() const;

  /// All keys with default, meaning and accepted values, as a TOML file that can be edited.
  static std::string schema();

 private:
  OptionSet options_;
  std::map<std::string, std::string> origins_;
};

}  // namespace mlaan

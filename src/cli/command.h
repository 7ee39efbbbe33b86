// Functions and flags that the program's subcommands share.
#pragma once

#include <mlaan/train/checkpoint.h>
#include <mlaan/train/config.h>

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mlaan::cli {

/// A subcommand. It is created before the command line is parsed, and run afterwards.
struct Command {
  CLI::App* app = nullptr;
  /// \return the exit code.
  std::function<int()> run;
  /// Whether it runs networks, so that the process has to be set up for computing.
  bool computes = false;
  /// Names of the verbs, for a command whose first argument is a verb.
  std::vector<std::string> verbs = {};
  /// Whether it can run as one of several ranks.
  bool in_ranks = false;
};

/// A verb of a command, such as `get` of `mlaan data get`.
struct Verb {
  CLI::App* app = nullptr;
  /// \return the exit code.
  std::function<int()> run;
};

/// \throws UserError for arguments that no flag or subcommand has consumed.
/// \param known what the argument could have been. \param kind what `known` lists, for the message.
void check_remaining(const CLI::App& app, const std::vector<std::string>& known,
                     const std::string& kind);

/// Flags for settings: one for each of some keys, -c/--config, and --set. They are applied in the
/// order: file, --set, flags of keys.
class ConfigFlags {
 public:
  /// Adds the flags to a subcommand.
  /// \param keys keys to add a flag for, for example "batch_size" → --batch-size.
  /// \param flags_of_methods whether to add the flags of methods' options, too.
  ConfigFlags(CLI::App& app, const std::vector<std::string>& keys, bool flags_of_methods = true);

  /// Applies the given flags on top of the present configuration.
  void apply(Config& config) const;
  /// The settings with the given flags on top of the defaults, or of the settings of a checkpoint's
  /// run.
  Settings settings() const;
  Settings on_top_of(const Checkpoint& checkpoint) const;

 private:
  struct Given {
    std::string key;
    std::string value;
    std::string flag;
  };

  void add(CLI::App& app, const Field& field);

  std::vector<std::string> files_;
  /// What the files hold. They are read once, since a pipe cannot be read again.
  mutable std::optional<std::vector<std::string>> texts_;
  std::vector<std::string> assignments_;
  std::vector<Given> given_;
};

/// The keys together with those of augmentation that users of other trainers expect flags for.
std::vector<std::string> with_augmentation(std::vector<std::string> keys);

/// The keys together with those of optimizers, learning rates and regularisation.
std::vector<std::string> with_optimization(std::vector<std::string> keys);

/// Sets threads, memory and BLAS for the rest of the process, and prints problems to stderr.
void prepare(const Settings& settings);

/// Prints to stderr which memory format was chosen by measuring, if one was.
void print_measured_format(const Settings& settings);

/// Prints a note to stderr for each given method setting that none of `methods` reads.
void warn_of_unused(const Settings& settings, const std::vector<std::string>& methods);

}  // namespace mlaan::cli

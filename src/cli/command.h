// What the subcommands of the program share.
#pragma once

#include <mlaan/train/checkpoint.h>
#include <mlaan/train/config.h>

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace mlaan::cli {

/// A subcommand: flags, then what to do. Made before parsing, run after it.
struct Command {
  CLI::App* app = nullptr;
  /// \return the exit code.
  std::function<int()> run;
  /// Trains or runs networks, so that it is worth setting up the process for that.
  bool computes = false;
  /// What its first argument can be, where each of them is a subcommand of its own.
  std::vector<std::string> verbs = {};
  /// Can be one of several processes that do it together.
  bool in_ranks = false;
};

/// One of a command's verbs, such as `get` of `mlaan data get`: flags, then what to do.
struct Verb {
  CLI::App* app = nullptr;
  /// \return the exit code.
  std::function<int()> run;
};

/// Refuses what no flag or subcommand has taken. \param known what an argument could have been, and
/// `kind` what that is called.
void check_remaining(const CLI::App& app, const std::vector<std::string>& known,
                     const std::string& kind);

/// Flags that stand for keys of the configuration, -c/--config and --set. They are applied in the
/// order: file, --set, flags of their own.
class ConfigFlags {
 public:
  /// Adds the flags to a subcommand.
  /// \param keys those that get a flag of their own, for example "batch_size" → --batch-size.
  /// \param flags_of_methods whether the methods' options that ask for a flag get it, too.
  ConfigFlags(CLI::App& app, const std::vector<std::string>& keys, bool flags_of_methods = true);

  /// Applies what was given, on top of what the configuration holds already.
  void apply(Config& config) const;
  /// What was given, on top of the defaults; or of the settings of a checkpoint's run.
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
  std::vector<std::string> assignments_;
  std::vector<Given> given_;
};

/// Keys, and those of augmentation that users of other trainers expect flags for.
std::vector<std::string> with_augmentation(std::vector<std::string> keys);

/// The same of optimizers, learning rates and regularisation.
std::vector<std::string> with_optimization(std::vector<std::string> keys);

/// Sets threads, memory and BLAS for the rest of the process, and tells on stderr what is amiss.
void prepare(const Settings& settings);

/// Tells on stderr of a memory format that was chosen by measuring.
void print_measured_format(const Settings& settings);

/// A note on stderr for each value given for a method that none of `methods` reads.
void warn_of_unused(const Settings& settings, const std::vector<std::string>& methods);

}  // namespace mlaan::cli

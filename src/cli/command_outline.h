// The program's commands and flags as plain data, from which completion scripts are made.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace mlaan::cli {

/// What completion offers for a value.
struct Offer {
  enum class Kind { nothing, files, folders, words, word_list };
  Kind kind = Kind::nothing;
  std::vector<std::string> words;  ///< to offer; a list joins several by commas
};

/// A flag, or a positional argument.
struct FlagOutline {
  std::vector<std::string> names;  ///< "-b", "--batch-size"; empty for an argument
  std::string help;                ///< a short text
  std::string value;               ///< the value's placeholder; "" for a flag without a value
  bool value_is_optional = false;
  bool takes_many = false;
  Offer offer;
};

struct CommandOutline {
  std::vector<std::string> path;  ///< "data", "get"; empty for the program itself
  std::string help;
  std::vector<FlagOutline> flags;
  std::vector<FlagOutline> arguments;
  std::vector<CommandOutline> commands;
};

/// Describes a command and its subcommands.
CommandOutline outline(const CLI::App& app, const std::vector<std::string>& path = {});

/// The command and all its subcommands in one list.
std::vector<const CommandOutline*> all_commands(const CommandOutline& command);

/// The command's path with a blank before each word: " data get".
std::string path_text(const CommandOutline& command);

}  // namespace mlaan::cli

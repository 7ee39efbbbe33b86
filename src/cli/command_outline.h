// The program's commands and flags as plain data, which completion scripts are made from.
#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace mlaan::cli {

/// What can be offered for a value.
struct Offer {
  enum class Kind { nothing, files, folders, words, word_list };
  Kind kind = Kind::nothing;
  std::vector<std::string> words;  ///< one of them, or of a list several with commas between
};

/// A flag, or an argument without one.
struct FlagOutline {
  std::vector<std::string> names;  ///< "-b", "--batch-size"; none of an argument
  std::string help;                ///< in a few words
  std::string value;               ///< what its value is called; "" where it takes none
  bool value_is_optional = false;
  bool takes_many = false;
  Offer offer;
};

struct CommandOutline {
  std::vector<std::string> path;  ///< "data", "get"; none of the program itself
  std::string help;
  std::vector<FlagOutline> flags;
  std::vector<FlagOutline> arguments;
  std::vector<CommandOutline> commands;
};

/// Of a command and those below it.
CommandOutline outline(const CLI::App& app, const std::vector<std::string>& path = {});

/// The command and all below it, one after the other.
std::vector<const CommandOutline*> all_commands(const CommandOutline& command);

/// Its path with a blank before each word: " data get".
std::string path_text(const CommandOutline& command);

}  // namespace mlaan::cli

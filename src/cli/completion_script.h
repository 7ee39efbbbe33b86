// Scripts that complete the program's command line, one file for each shell.
#pragma once

#include "cli/command_outline.h"

#include <string>

namespace mlaan::cli {

/// To be sourced, or stored under the program's name where bash-completion finds it.
std::string bash_completion(const CommandOutline& program);

/// To be sourced after compinit, or stored as _mlaan in a folder of $fpath.
std::string zsh_completion(const CommandOutline& program);

/// To be sourced, or stored as mlaan.fish in a folder of completions.
std::string fish_completion(const CommandOutline& program);

}  // namespace mlaan::cli

// Scripts by which shells complete the program's command line, one file for each shell.
#pragma once

#include "cli/command_outline.h"

#include <string>

namespace mlaan::cli {

/// To be sourced, or to be put where bash-completion finds it under the program's name.
std::string bash_completion(const CommandOutline& program);

/// To be sourced behind compinit, or to be put as _mlaan into a folder of $fpath.
std::string zsh_completion(const CommandOutline& program);

/// To be sourced, or to be put as mlaan.fish into a folder of completions.
std::string fish_completion(const CommandOutline& program);

}  // namespace mlaan::cli

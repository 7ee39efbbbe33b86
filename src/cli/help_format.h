// How the program's help is laid out.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace mlaan::cli {

/// Flags under the headings of key_flag.h, no line longer than 100 characters.
std::shared_ptr<CLI::FormatterBase> help_format();

/// What an option's value is called, "N"; without what CLI11 adds of what it checks. "" where it
/// takes none.
std::string value_name(const CLI::Option& option);

}  // namespace mlaan::cli

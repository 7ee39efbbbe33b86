// The layout of the program's help.
#pragma once

#include <CLI/CLI.hpp>

#include <memory>
#include <string>

namespace mlaan::cli {

/// Lists flags under the headings of key_flag.h, in lines of at most 100 characters.
std::shared_ptr<CLI::FormatterBase> help_format();

/// The placeholder of an option's value, "N", without the description of checks that CLI11 appends;
/// "" if it has no value.
std::string value_name(const CLI::Option& option);

}  // namespace mlaan::cli

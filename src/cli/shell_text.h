// Quotes text for a shell.
#pragma once

#include <string>

namespace mlaan::cli {

/// A word of a command line, in quotes if a shell would otherwise change it.
std::string shell_word(const std::string& text);

}  // namespace mlaan::cli

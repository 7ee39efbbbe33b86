// Text that a shell reads back as it is.
#pragma once

#include <string>

namespace mlaan::cli {

/// A word of a command line: itself, or in quotes where a shell would read something else.
std::string shell_word(const std::string& text);

}  // namespace mlaan::cli

// Parses untrusted TOML texts.
#pragma once

#include <toml++/toml.h>

#include <string>

namespace mlaan {

/// "NAME:3:7".
std::string place_in(const std::string& name, const toml::source_region& source);

/// \param name of the text, for error messages.
/// \throws UserError naming line and column for malformed TOML, and for tables and lists that are
///         nested more deeply than any settings are.
toml::table parse_toml(const std::string& text, const std::string& name);

}  // namespace mlaan

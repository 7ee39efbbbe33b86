// TOML texts that are not trusted.
#pragma once

#include <toml++/toml.h>

#include <string>

namespace mlaan {

/// "NAME:3:7".
std::string place_in(const std::string& name, const toml::source_region& source);

/// \param name what messages call the text.
/// \throws UserError naming line and column for what is no TOML, and for tables and lists within
///         one another deeper than any settings are.
toml::table parse_toml(const std::string& text, const std::string& name);

}  // namespace mlaan

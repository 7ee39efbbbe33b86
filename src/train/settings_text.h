// Settings as TOML files have them.
#pragma once

#include <mlaan/core/options.h>

#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// Gives options the values of a TOML text.
/// \param name what messages call the text. \param assigned called with each key that was given.
/// \throws UserError naming file, line and column for a text that is no TOML, an unknown key (with
///         the nearest known one) and a value that is not accepted.
void assign_toml(OptionSet& options, const std::string& text, const std::string& name,
                 const std::function<void(const std::string& key)>& assigned);

/// A TOML file with a line for each field, in sections: `line(name, field)`.
std::string print_sections(
    const std::vector<Field>& fields,
    const std::function<std::string(const std::string& name, const Field& field)>& line);

}  // namespace mlaan

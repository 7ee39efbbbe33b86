// Reads and writes settings as TOML.
#pragma once

#include <mlaan/core/options.h>

#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// Sets options from a TOML text.
/// \param name of the text, for error messages.
/// \param assigned called with each key that the text sets.
/// \throws UserError naming file, line and column for malformed TOML, an unknown key (with the
///         nearest known one) and a value that is not accepted.
void assign_toml(OptionSet& options, const std::string& text, const std::string& name,
                 const std::function<void(const std::string& key)>& assigned);

/// A TOML text in sections, with the line `line(name, field)` for each field.
std::string print_sections(
    const std::vector<Field>& fields,
    const std::function<std::string(const std::string& name, const Field& field)>& line);

}  // namespace mlaan

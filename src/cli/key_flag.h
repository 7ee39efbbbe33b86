// The command-line flag of a settings key: its names, its group in the help, its value.
#pragma once

#include <mlaan/core/options.h>

#include <string>

namespace mlaan::cli {

/// Headings of the help, under which flags are listed.
namespace group {
inline constexpr const char* data = "Data";
inline constexpr const char* model = "Model";
inline constexpr const char* method = "Method";
inline constexpr const char* training = "Training";
inline constexpr const char* optimizer = "Optimizer";
inline constexpr const char* schedule = "Schedule";
inline constexpr const char* augmentation = "Augmentation";
inline constexpr const char* regularisation = "Regularisation";
inline constexpr const char* validation = "Validation";
inline constexpr const char* hardware = "Time and memory";
inline constexpr const char* measurement = "Measurement";
inline constexpr const char* results = "Results";
inline constexpr const char* saving = "Saving";
inline constexpr const char* logging = "Logging";
inline constexpr const char* settings = "Settings";
/// Flags that every command has.
inline constexpr const char* other = "Other";
}  // namespace group

/// The flag's names in CLI11's syntax: "-b,--batch-size". The name is the key's last part, unless
/// users expect another one.
std::string flag_names(const std::string& key);

/// The heading under which the flag is listed.
std::string flag_group(const std::string& key);

/// The placeholder of the value, from which completion derives what to offer: "{sgd,adam,adamw}" if
/// only these are accepted, "METHOD", "N"; "" for a boolean flag.
std::string flag_value(const Field& field);

/// The flag's help text; a long text is shortened.
std::string flag_help(const Field& field);

}  // namespace mlaan::cli

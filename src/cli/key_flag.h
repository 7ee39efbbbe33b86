// The flag that stands for a key of the configuration: its names, its group in the help, its value.
#pragma once

#include <mlaan/core/options.h>

#include <string>

namespace mlaan::cli {

/// Headings of the help, under which its flags stand.
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
/// What every command has.
inline constexpr const char* other = "Other";
}  // namespace group

/// Its names as CLI11 takes them: "-b,--batch-size". Of a key in a section it is the last part,
/// unless users expect another one.
std::string flag_names(const std::string& key);

/// The heading that it stands under.
std::string flag_group(const std::string& key);

/// What help calls its value, and completion chooses what to offer by: "{sgd,adam,adamw}" where
/// only these are accepted, "METHOD", "N"; "" of what is on or off.
std::string flag_value(const Field& field);

/// What help says of it. Of a text that is long, the beginning.
std::string flag_help(const Field& field);

}  // namespace mlaan::cli

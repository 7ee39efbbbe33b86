// The settings of a run, from which the network, plan, loaders and trainer are made.
#include "core/byte_text.h"
#include "train/settings_text.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/config.h>
#include <mlaan/train/settings.h>

namespace mlaan {

Settings::Settings() : Settings(Config()) {}

Settings::Settings(OptionSet values, std::map<std::string, std::string> origins)
    : values_(std::make_shared<const OptionSet>(std::move(values))), origins_(std::move(origins)) {}

std::string Settings::origin(const std::string& key) const {
  const auto found = origins_.find(key);
  return found == origins_.end() ? "default" : found->second;
}

std::string Settings::to_toml() const {
  return print_sections(values_->fields(), [this](const std::string& name, const Field& field) {
    return name + " = " + mlaan::to_toml(field.value()) + "  # " + printable(origin(field.key)) +
           "\n";
  });
}

Settings Settings::with(const std::vector<Assignment>& changes, const std::string& origin) const {
  OptionSet values = *values_;
  auto origins = origins_;
  for (const auto& [key, value] : changes) {
    values.assign_text(key, value, origin);
    origins[key] = origin;
  }
  return {std::move(values), std::move(origins)};
}

Settings Settings::with(const std::string& key, const std::string& value,
                        const std::string& origin) const {
  return with({{key, value}}, origin);
}

Settings Settings::coming_from(const std::string& origin) const {
  Settings settings = *this;
  for (const auto& field : values_->fields()) settings.origins_[field.key] = origin;
  return settings;
}

Settings read_settings(const std::string& text, const std::string& name) {
  Config config;
  config.apply_text(text, name);
  return config;
}

Settings read_settings(const std::filesystem::path& path) {
  return read_settings(read_text(path), path.string());
}

}  // namespace mlaan

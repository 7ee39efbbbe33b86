// Collects the values of options: defaults, configuration files, command-line flags.
#include "core/trimmed.h"
#include "train/settings_text.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/config.h>
#include <mlaan/train/options.h>

namespace mlaan {

Config::Config() {
  declare_all(options_);
}

void Config::apply_file(const std::filesystem::path& path) {
  apply_text(read_text(path), path.string());
}

void Config::apply_text(const std::string& text, const std::string& name) {
  assign_toml(options_, text, name, [&](const std::string& key) { origins_[key] = name; });
}

void Config::apply(const std::string& key, const std::string& value, const std::string& origin) {
  options_.assign_text(key, value, origin);
  origins_[key] = origin;
}

void Config::apply_assignment(const std::string& assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw UserError("--set '" + assignment + "' is not an assignment; write --set key=value");
  }
  apply(trimmed(assignment.substr(0, equals)), trimmed(assignment.substr(equals + 1)), "--set");
}

void Config::make_paths_absolute() {
  auto& run = options_.get<RunOptions>();
  const auto make_absolute = [](std::string& path) {
    if (!path.empty()) path = std::filesystem::absolute(path).string();
  };
  make_absolute(run.data);
  make_absolute(run.weights);
  if (is_script_file(run.model)) make_absolute(run.model);
}

std::string Config::schema() {
  const Config defaults;
  return print_sections(defaults.options_.fields(),
                        [](const std::string& name, const Field& field) {
                          return "# " + field.help + " (" + field.accepted() + ")\n# " + name +
                                 " = " + mlaan::to_toml(field.initial) + "\n";
                        });
}

}  // namespace mlaan

// Method specs: a method's name with its settings, "checkpoint:checkpoint.segments=8".
#include "core/joined.h"
#include "core/trimmed.h"

#include <mlaan/core/error.h>
#include <mlaan/core/suggest.h>
#include <mlaan/core/term.h>
#include <mlaan/local/method.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <filesystem>
#include <utility>

namespace mlaan {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// Settings in which methods compared on one batch may differ: how the network is partitioned, the
/// method's own settings, and how the plan is executed and optimized.
std::vector<std::string> accepted_keys(const MethodEntry& method) {
  OptionSet options;
  options.get<ExecutionOptions>();
  options.get<OptimizerOptions>();
  method.declare(options);
  std::vector<std::string> keys = options.keys();
  keys.insert(keys.begin(), {"modules", "partition"});
  return keys;
}

void check_key(const std::string& spec, const std::string& method, const std::string& key) {
  const auto accepted = accepted_keys(method_named(method));
  if (contains(accepted, key)) return;
  const Settings known;
  if (!contains(known.options().keys(), key)) {
    throw UserError(spec + ": " + unknown_name("setting of " + method, key, accepted));
  }
  throw UserError(spec + ": '" + key +
                  "' is either the same for all methods compared or not used by " + method +
                  "; accepted: " + joined(accepted, ", "));
}

}  // namespace

MethodSpec MethodSpec::parse(const std::string& text) {
  MethodSpec spec;
  spec.text = trimmed(text);
  Term term = parse_settings(spec.text, "method");
  spec.method = std::move(term.name);
  method_named(spec.method);
  for (const auto& setting : term.settings) check_key(spec.text, spec.method, setting.first);
  spec.settings = std::move(term.settings);
  return spec;
}

Settings MethodSpec::applied_to(const Settings& run) const {
  return run.coming_from("the settings of the run").with(settings, text);
}

void apply_method_settings(Config& config) {
  const std::string method = config.get<RunOptions>().method;
  if (method.find(':') == std::string::npos || std::filesystem::exists(method)) return;
  const MethodSpec spec = MethodSpec::parse(method);
  const std::string origin = Settings(config).origin("method") + " " + spec.text;
  config.apply("method", spec.method, origin);
  for (const auto& [key, value] : spec.settings) config.apply(key, value, origin);
}

std::vector<std::string> split_method_specs(const std::string& list) {
  return split_list(list, "methods");
}

}  // namespace mlaan

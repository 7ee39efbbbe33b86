// Method specs: a method's name with settings of its own, "checkpoint:checkpoint.segments=8".
#include "core/joined.h"
#include "core/trimmed.h"

#include <mlaan/core/error.h>
#include <mlaan/core/suggest.h>
#include <mlaan/local/method.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>

namespace mlaan {
namespace {

/// The pieces between separators that stand neither in brackets nor in quotes.
std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> pieces{""};
  int depth = 0;
  char quote = 0;
  for (const char letter : text) {
    if (quote != 0) {
      if (letter == quote) quote = 0;
    } else if (letter == '"' || letter == '\'') {
      quote = letter;
    } else if (letter == '[') {
      ++depth;
    } else if (letter == ']') {
      --depth;
    }
    if (letter == separator && depth == 0 && quote == 0) {
      pieces.emplace_back();
    } else {
      pieces.back() += letter;
    }
  }
  if (depth != 0 || quote != 0) {
    throw UserError("'" + text + "' has a " + (quote != 0 ? "quote" : "bracket") +
                    " without its other half");
  }
  for (auto& piece : pieces) piece = trimmed(piece);
  return pieces;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// What may differ between methods that are compared on one batch: how the network is cut, what the
/// method reads, and how it is executed and updated.
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
  const auto pieces = split(spec.text, ':');
  spec.method = pieces.front();
  method_named(spec.method);
  for (std::size_t i = 1; i < pieces.size(); ++i) {
    const auto equals = pieces[i].find('=');
    if (equals == std::string::npos || equals == 0) {
      throw UserError(spec.text + ": '" + pieces[i] +
                      "' is no assignment; write METHOD:key=value:key=value");
    }
    const std::string key = trimmed(pieces[i].substr(0, equals));
    check_key(spec.text, spec.method, key);
    for (const auto& setting : spec.settings) {
      if (setting.first == key) throw UserError(spec.text + ": " + key + " is given twice");
    }
    spec.settings.emplace_back(key, trimmed(pieces[i].substr(equals + 1)));
  }
  return spec;
}

Settings MethodSpec::applied_to(const Settings& run) const {
  return run.coming_from("the settings of the run").with(settings, text);
}

std::vector<std::string> split_method_specs(const std::string& list) {
  auto specs = split(list, ',');
  specs.erase(std::remove(specs.begin(), specs.end(), ""), specs.end());
  return specs;
}

}  // namespace mlaan

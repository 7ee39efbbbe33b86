// Reads plan files: supervision plans as TOML.
#include "core/trimmed.h"
#include "train/plan_words.h"
#include "train/toml_section.h"
#include "train/toml_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>
#include <mlaan/core/suggest.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <memory>

namespace mlaan {
namespace {

/// Reads the course of a weight that changes over the training.
WeightCourse read_course(const TomlSection& section) {
  const std::string name = section.text("course");
  if (name == "linear" || name == "cosine") return parse_weight_course(name);
  section.fail("course", unknown_name("course of a weight", name, {"linear", "cosine"}));
}

/// Reads a weight: a number, or { from = 1.0, to = 0.0, course = "linear" }.
void read_weight(const TomlSection& section, SupervisionDescription& supervision) {
  if (!section.is_table("weight")) {
    supervision.weight = section.number("weight");
    return;
  }
  const TomlSection weight = section.section("weight");
  weight.allow({"from", "to", "course"});
  supervision.weight = weight.number("from");
  supervision.final_weight = weight.number("to");
  supervision.course = read_course(weight);
}

/// Reads a partition, in which each module is given as "layer1.0 to layer1.2".
Partition read_partition(const TomlSection& file, const Backbone& backbone) {
  std::vector<std::size_t> last_units;
  std::size_t next = 0;
  const auto unit = [&](const std::string& name) {
    try {
      return backbone.unit_index(name);
    } catch (const UserError& error) {
      file.fail("modules", error.what());
    }
  };
  const auto name = [&](std::size_t index) { return "'" + backbone.units()[index].name() + "'"; };
  for (const auto& text : file.texts("modules")) {
    const auto to = text.find(between_units);
    const std::size_t first = unit(text.substr(0, to));
    const std::size_t last =
        to == std::string::npos ? first : unit(text.substr(to + std::string(between_units).size()));
    const std::string module = "module " + std::to_string(last_units.size() + 1) + ", \"" + text;
    if (last < first) file.fail("modules", module + "\", ends before it begins");
    if (first < next) {
      file.fail("modules",
                module + "\", overlaps the one before it, which ends with " + name(next - 1));
    }
    if (first > next) {
      file.fail("modules", module + "\", leaves out " + name(next) + ", which is in no module");
    }
    last_units.push_back(last);
    next = last + 1;
  }
  if (next != backbone.size()) {
    file.fail("modules", "the modules end before " + name(next) + "; the last unit of " +
                             backbone.name() + " is " + name(backbone.size() - 1));
  }
  return Partition(std::move(last_units));
}

NetDescription read_net(const TomlSection& section) {
  section.allow({"name", "trunk", "layers", "learning_rate"});
  return {section.text("name"), section.has("trunk") ? section.text("trunk") : "",
          section.texts("layers"),
          section.has("learning_rate") ? section.number("learning_rate") : 1};
}

SupervisionDescription read_supervision(const TomlSection& section) {
  section.allow({"name", "window", "net", "loss", "weight", "probability"});
  const auto [first, last] = section.window("window");
  SupervisionDescription supervision;
  supervision.name = section.text("name");
  supervision.first = first;
  supervision.last = last;
  supervision.net = section.text("net");
  supervision.loss = section.text("loss");
  read_weight(section, supervision);
  if (section.has("probability")) supervision.probability = section.number("probability");
  return supervision;
}

const std::vector<std::string> plan_keys{"modules", "net", "supervision"};
const std::vector<std::string> phase_keys{"name", "share", "method", "settings"};

std::vector<std::string> joined(std::vector<std::string> keys,
                                const std::vector<std::string>& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

/// Reads a plan: the top level of a file, or a phase of it.
PlanDescription read_plan(const TomlSection& section, const Backbone& backbone) {
  PlanDescription plan{read_partition(section, backbone), {}, {}};
  if (section.has("net")) {
    for (const auto& net : section.sections("net")) plan.nets.push_back(read_net(net));
  }
  for (const auto& supervision : section.sections("supervision")) {
    plan.supervisions.push_back(read_supervision(supervision));
  }
  return plan;
}

/// A file that has been parsed and whose keys have been checked.
struct ParsedFile {
  toml::table table;
  std::string path;

  TomlSection top() const { return TomlSection(table, path, "the plan"); }
  bool has_phases() const { return table.contains("phase"); }
};

/// \param name of the text, for error messages.
ParsedFile parse_text(const std::string& text, const std::string& name) {
  ParsedFile file{parse_toml(text, name), name};
  if (!file.has_phases()) {
    file.top().allow(joined({"model"}, plan_keys));
    return file;
  }
  file.top().allow({"model", "method", "phase"});
  for (const auto& phase : file.top().sections("phase")) {
    phase.allow(joined(phase_keys, phase.has("method") ? std::vector<std::string>() : plan_keys));
  }
  return file;
}

void check_model(const TomlSection& file, const Backbone& backbone) {
  if (file.text("model") != backbone.name()) {
    file.fail("model", "the plan is for " + file.text("model") + ", not for " + backbone.name());
  }
}

/// A method whose plan is what `read` returns for a backbone.
MethodEntry method_of_plan(const std::string& path, const std::string& summary,
                           std::function<PlanDescription(const Backbone& backbone)> read) {
  MethodEntry entry{path, summary, [](OptionSet&) {}, nullptr};
  entry.plan = [path, read = std::move(read)](const Backbone& backbone, const Partition&,
                                              const OptionSet&, std::uint64_t seed) {
    const PlanDescription plan = read(backbone);
    try {
      return build_plan(plan, backbone, seed);
    } catch (const UserError& error) {
      throw UserError(path + ": " + error.what());
    }
  };
  return entry;
}

std::vector<Assignment> read_assignments(const TomlSection& phase) {
  std::vector<Assignment> settings;
  if (!phase.has("settings")) return settings;
  for (const auto& assignment : phase.texts("settings")) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      phase.fail("settings", "'" + assignment + "' is not an assignment; write \"key=value\"");
    }
    settings.emplace_back(trimmed(assignment.substr(0, equals)),
                          trimmed(assignment.substr(equals + 1)));
  }
  return settings;
}

/// Reads phase number `index`, which names a method or contains a plan.
MethodPhase read_phase(const std::shared_ptr<const ParsedFile>& file, std::size_t index) {
  const TomlSection phase = file->top().sections("phase").at(index);
  MethodPhase read{phase.text("name"), phase.number("share"), {}, read_assignments(phase)};
  if (!phase.has("method")) {
    read.method =
        method_of_plan(file->path, "a phase of a file", [file, index](const Backbone& of) {
          check_model(file->top(), of);
          return read_plan(file->top().sections("phase").at(index), of);
        });
    return read;
  }
  try {
    const MethodSpec spec = MethodSpec::parse(phase.text("method"));
    read.method = method_named(spec.method);
    read.settings.insert(read.settings.begin(), spec.settings.begin(), spec.settings.end());
  } catch (const UserError& error) {
    phase.fail("method", error.what());
  }
  return read;
}

MethodEntry method_of_phases(const std::shared_ptr<const ParsedFile>& file) {
  std::vector<MethodPhase> phases;
  for (std::size_t i = 0; i < file->top().sections("phase").size(); ++i) {
    phases.push_back(read_phase(file, i));
  }
  check_phases(phases, file->path);
  MethodEntry entry{file->path, "the phases of a file", nullptr, nullptr};
  if (file->top().has("method")) {
    const TomlSection about = file->top().section("method");
    about.allow({"summary"});
    if (about.has("summary")) entry.summary = about.text("summary");
  }
  entry.declare = [phases](OptionSet& options) {
    for (const auto& phase : phases) phase.method.declare(options);
  };
  entry.phases = [phases](const OptionSet&) { return phases; };
  return entry;
}

}  // namespace

PlanDescription read_plan(const std::filesystem::path& path, const Backbone& backbone) {
  return parse_plan(read_text(path), path.string(), backbone);
}

PlanDescription parse_plan(const std::string& text, const std::string& name,
                           const Backbone& backbone) {
  const ParsedFile file = parse_text(text, name);
  if (file.has_phases()) file.top().fail("phase", "expected a single plan, without phases");
  check_model(file.top(), backbone);
  return read_plan(file.top(), backbone);
}

bool is_plan_file(const std::string& method) {
  return std::filesystem::path(method).extension() == ".toml";
}

MethodEntry plan_file_method(const std::string& path) {
  if (!std::filesystem::exists(path)) throw UserError("there is no plan file " + path);
  const auto file = std::make_shared<const ParsedFile>(parse_text(read_text(path), path));
  if (file->has_phases()) return method_of_phases(file);
  return method_of_plan(path, "the plan of a file", [path](const Backbone& backbone) {
    return read_plan(std::filesystem::path(path), backbone);
  });
}

}  // namespace mlaan

// Plan files: a supervision plan as TOML, to be read, edited and trained by.
#include "core/byte_text.h"
#include "core/trimmed.h"
#include "train/toml_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>
#include <mlaan/core/suggest.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/method_spec.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <array>
#include <memory>

namespace mlaan {
namespace {

constexpr const char* between_units = " to ";

std::string quoted(const std::string& text) {
  return to_toml(OptionValue(text));
}

/// A table of the file whose keys are asked for one after the other.
class Section {
 public:
  /// \param name what messages call it: "[[net]]".
  Section(const toml::table& table, std::string file, std::string name)
      : table_(table), file_(std::move(file)), name_(std::move(name)) {}

  /// \throws UserError for a key that is not among these.
  void allow(const std::vector<std::string>& keys) const {
    for (const auto& [key, node] : table_) {
      const std::string given(key.str());
      if (std::find(keys.begin(), keys.end(), given) != keys.end()) continue;
      fail(node, unknown_name("key of " + name_, given, keys));
    }
  }

  bool has(const std::string& key) const { return table_.contains(key); }
  bool is_table(const std::string& key) const { return at(key).is_table(); }

  /// The table of a key.
  Section section(const std::string& key) const {
    const auto* table = at(key).as_table();
    if (table == nullptr) fail(key, key + " must be a table");
    return Section(*table, file_, key);
  }

  std::string text(const std::string& key) const {
    const toml::node& node = at(key);
    const auto value = node.value<std::string>();
    if (!node.is_string() || !value) fail(node, key + " must be a text");
    return bytes_of(*value);
  }

  double number(const std::string& key) const {
    const toml::node& node = at(key);
    const auto value = node.value<double>();
    if (!node.is_number() || !value) fail(node, key + " must be a number");
    return *value;
  }

  std::vector<std::string> texts(const std::string& key) const {
    std::vector<std::string> values;
    for (const auto& item : array(key)) {
      const auto value = item.value<std::string>();
      if (!item.is_string() || !value) fail(item, key + " must be a list of texts");
      values.push_back(bytes_of(*value));
    }
    return values;
  }

  /// Two numbers of modules, from 1.
  std::pair<std::size_t, std::size_t> window(const std::string& key) const {
    std::vector<std::int64_t> numbers;
    for (const auto& item : array(key)) {
      const auto value = item.value<std::int64_t>();
      if (!item.is_integer() || !value || *value < 1) numbers.clear();
      if (value) numbers.push_back(*value);
    }
    if (numbers.size() != 2 || numbers[0] < 1) {
      fail(at(key), key + " must be two numbers of modules, the first and the last, from 1");
    }
    return {static_cast<std::size_t>(numbers[0] - 1), static_cast<std::size_t>(numbers[1] - 1)};
  }

  /// The tables under [[key]].
  std::vector<Section> sections(const std::string& key) const {
    std::vector<Section> found;
    for (const auto& item : array(key)) {
      const auto* table = item.as_table();
      if (table == nullptr) fail(item, key + " must be tables, each under [[" + key + "]]");
      found.emplace_back(*table, file_, "[[" + key + "]]");
    }
    return found;
  }

  [[noreturn]] void fail(const std::string& key, const std::string& why) const {
    fail(at(key), why);
  }

 private:
  [[noreturn]] void fail(const toml::node& node, const std::string& why) const {
    throw UserError(place_in(file_, node.source()) + ": " + why);
  }

  const toml::node& at(const std::string& key) const {
    const auto* node = table_.get(key);
    if (node == nullptr) fail(table_, name_ + " lacks '" + key + "'");
    return *node;
  }

  const toml::array& array(const std::string& key) const {
    const toml::node& node = at(key);
    const auto* list = node.as_array();
    if (list == nullptr) fail(node, key + " must be a list");
    return *list;
  }

  const toml::table& table_;
  std::string file_;
  std::string name_;
};

constexpr std::array courses{std::pair{"linear", WeightCourse::linear},
                             std::pair{"cosine", WeightCourse::cosine}};

WeightCourse read_course(const Section& section) {
  const std::string name = section.text("course");
  for (const auto& [known, course] : courses) {
    if (name == known) return course;
  }
  section.fail("course", unknown_name("course of a weight", name, {"linear", "cosine"}));
}

std::string course_name(WeightCourse course) {
  return std::find_if(courses.begin(), courses.end(),
                      [&](const auto& known) { return known.second == course; })
      ->first;
}

/// A number, or { from = 1.0, to = 0.0, course = "linear" }.
void read_weight(const Section& section, SupervisionDescription& supervision) {
  if (!section.is_table("weight")) {
    supervision.weight = section.number("weight");
    return;
  }
  const Section weight = section.section("weight");
  weight.allow({"from", "to", "course"});
  supervision.weight = weight.number("from");
  supervision.final_weight = weight.number("to");
  supervision.course = read_course(weight);
}

std::string weight_text(const SupervisionDescription& supervision) {
  const std::string weight = to_toml(OptionValue(supervision.weight));
  if (supervision.course == WeightCourse::constant) return weight;
  return "{ from = " + weight + ", to = " + to_toml(OptionValue(supervision.final_weight)) +
         ", course = " + quoted(course_name(supervision.course)) + " }";
}

/// "layer1.0 to layer1.2" for each module.
Partition read_partition(const Section& file, const Backbone& backbone) {
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

NetDescription read_net(const Section& section) {
  section.allow({"name", "trunk", "layers", "learning_rate"});
  return {section.text("name"), section.has("trunk") ? section.text("trunk") : "",
          section.texts("layers"),
          section.has("learning_rate") ? section.number("learning_rate") : 1};
}

SupervisionDescription read_supervision(const Section& section) {
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

/// A plan: the top of a file, or a phase.
PlanDescription read_plan(const Section& section, const Backbone& backbone) {
  PlanDescription plan{read_partition(section, backbone), {}, {}};
  if (section.has("net")) {
    for (const auto& net : section.sections("net")) plan.nets.push_back(read_net(net));
  }
  for (const auto& supervision : section.sections("supervision")) {
    plan.supervisions.push_back(read_supervision(supervision));
  }
  return plan;
}

/// A file that has been parsed, and its keys checked.
struct ParsedFile {
  toml::table table;
  std::string path;

  Section top() const { return Section(table, path, "the plan"); }
  bool has_phases() const { return table.contains("phase"); }
};

/// \param name what messages call the text.
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

void check_model(const Section& file, const Backbone& backbone) {
  if (file.text("model") != backbone.name()) {
    file.fail("model", "the plan is for " + file.text("model") + ", not for " + backbone.name());
  }
}

/// A method whose plan is what `read` gives for a backbone.
MethodEntry method_of_plan(const std::string& path, const std::string& summary,
                           std::function<PlanDescription(const Backbone& backbone)> read) {
  MethodEntry entry{path, summary, [](OptionSet&) {}, nullptr};
  entry.plan = [path, read = std::move(read)](const Backbone& backbone, const Partition&,
                                              OptionSet&, std::uint64_t seed) {
    const PlanDescription plan = read(backbone);
    try {
      return build_plan(plan, backbone, seed);
    } catch (const UserError& error) {
      throw UserError(path + ": " + error.what());
    }
  };
  return entry;
}

using Settings = std::vector<std::pair<std::string, std::string>>;

Settings read_settings(const Section& phase) {
  Settings settings;
  if (!phase.has("settings")) return settings;
  for (const auto& assignment : phase.texts("settings")) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      phase.fail("settings", "'" + assignment + "' is no assignment; write \"key=value\"");
    }
    settings.emplace_back(trimmed(assignment.substr(0, equals)),
                          trimmed(assignment.substr(equals + 1)));
  }
  return settings;
}

/// Phase number `index`, of a method or with a plan of its own.
MethodPhase read_phase(const std::shared_ptr<const ParsedFile>& file, std::size_t index) {
  const Section phase = file->top().sections("phase").at(index);
  MethodPhase read{phase.text("name"), phase.number("share"), {}, read_settings(phase)};
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
    const Section about = file->top().section("method");
    about.allow({"summary"});
    if (about.has("summary")) entry.summary = about.text("summary");
  }
  entry.declare = [phases](OptionSet& options) {
    for (const auto& phase : phases) phase.method.declare(options);
  };
  entry.phases = [phases](OptionSet&) { return phases; };
  return entry;
}

/// The text of a plan. \param prefix of its tables' names: "phase.".
std::string plan_tables(const PlanDescription& plan, const Backbone& backbone,
                        const std::string& prefix, const NetRemark& remark) {
  std::string text = "modules = [";
  const auto unit = [&](std::size_t index) { return backbone.units()[index].name(); };
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    const auto first = plan.partition.first_unit(j);
    const auto last = plan.partition.last_unit(j);
    const std::string units =
        first == last ? unit(first) : unit(first) + between_units + unit(last);
    text += (j == 0 ? "" : ", ") + quoted(units);
  }
  text += "]\n";
  for (const auto& net : plan.nets) {
    text += "\n[[" + prefix + "net]]";
    if (remark) text += "  # " + remark(net);
    text += "\nname = " + quoted(net.name) + "\n";
    if (!net.trunk.empty()) text += "trunk = " + quoted(net.trunk) + "\n";
    text += "layers = " + to_toml(OptionValue(net.layers)) + "\n";
    if (net.learning_rate != 1) {
      text += "learning_rate = " + to_toml(OptionValue(net.learning_rate)) + "\n";
    }
  }
  for (const auto& supervision : plan.supervisions) {
    text += "\n[[" + prefix + "supervision]]\nname = " + quoted(supervision.name) + "\nwindow = [" +
            std::to_string(supervision.first + 1) + ", " + std::to_string(supervision.last + 1) +
            "]\nnet = " + quoted(supervision.net) + "\nloss = " + quoted(supervision.loss) +
            "\nweight = " + weight_text(supervision) + "\n";
    if (supervision.probability != 1) {
      text += "probability = " + to_toml(OptionValue(supervision.probability)) + "\n";
    }
  }
  return text;
}

}  // namespace

std::string plan_text(const PlanDescription& plan, const Backbone& backbone,
                      const NetRemark& remark) {
  return "model = " + quoted(backbone.name()) + "\n" + plan_tables(plan, backbone, "", remark);
}

std::string plan_text(const std::vector<PhaseDescription>& phases, const Backbone& backbone,
                      const NetRemark& remark) {
  if (phases.size() == 1 && phases.front().name.empty()) {
    return plan_text(phases.front().plan, backbone, remark);
  }
  std::string text = "model = " + quoted(backbone.name()) + "\n";
  for (const auto& phase : phases) {
    text += "\n[[phase]]\nname = " + quoted(phase.name) +
            "\nshare = " + to_toml(OptionValue(phase.share)) + "\n";
    if (!phase.settings.empty()) {
      text += "settings = " + to_toml(OptionValue(phase.settings)) + "\n";
    }
    text += plan_tables(phase.plan, backbone, "phase.", remark);
  }
  return text;
}

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

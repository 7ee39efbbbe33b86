// Plan files: a supervision plan as TOML, to be read, edited and trained by.
#include "core/byte_text.h"

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>
#include <mlaan/core/suggest.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/plan_file.h>

#include <toml++/toml.h>

#include <algorithm>

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
    const auto& place = node.source().begin;
    throw UserError(file_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) +
                    ": " + why);
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
  section.allow({"name", "trunk", "layers"});
  return {section.text("name"), section.has("trunk") ? section.text("trunk") : "",
          section.texts("layers")};
}

SupervisionDescription read_supervision(const Section& section) {
  section.allow({"name", "window", "net", "loss", "weight", "probability"});
  const auto [first, last] = section.window("window");
  return {section.text("name"),
          first,
          last,
          section.text("net"),
          section.text("loss"),
          section.number("weight"),
          section.has("probability") ? section.number("probability") : 1};
}

}  // namespace

std::string plan_text(const PlanDescription& plan, const Backbone& backbone,
                      const std::function<std::string(const NetDescription& net)>& remark) {
  std::string text = "model = " + quoted(backbone.name()) + "\nmodules = [";
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
    text += "\n[[net]]";
    if (remark) text += "  # " + remark(net);
    text += "\nname = " + quoted(net.name) + "\n";
    if (!net.trunk.empty()) text += "trunk = " + quoted(net.trunk) + "\n";
    text += "layers = " + to_toml(OptionValue(net.layers)) + "\n";
  }
  for (const auto& supervision : plan.supervisions) {
    text += "\n[[supervision]]\nname = " + quoted(supervision.name) + "\nwindow = [" +
            std::to_string(supervision.first + 1) + ", " + std::to_string(supervision.last + 1) +
            "]\nnet = " + quoted(supervision.net) + "\nloss = " + quoted(supervision.loss) +
            "\nweight = " + to_toml(OptionValue(supervision.weight)) + "\n";
    if (supervision.probability != 1) {
      text += "probability = " + to_toml(OptionValue(supervision.probability)) + "\n";
    }
  }
  return text;
}

PlanDescription read_plan(const std::filesystem::path& path, const Backbone& backbone) {
  toml::table table;
  try {
    table = toml::parse(read_text(path), path.string());
  } catch (const toml::parse_error& error) {
    const auto& place = error.source().begin;
    throw UserError(path.string() + ":" + std::to_string(place.line) + ":" +
                    std::to_string(place.column) + ": " + std::string(error.description()));
  }
  const Section file(table, path.string(), "the plan");
  file.allow({"model", "modules", "net", "supervision"});
  if (file.text("model") != backbone.name()) {
    file.fail("model", "the plan is for " + file.text("model") + ", not for " + backbone.name());
  }
  PlanDescription plan{read_partition(file, backbone), {}, {}};
  if (file.has("net")) {
    for (const auto& section : file.sections("net")) plan.nets.push_back(read_net(section));
  }
  for (const auto& section : file.sections("supervision")) {
    plan.supervisions.push_back(read_supervision(section));
  }
  return plan;
}

bool is_plan_file(const std::string& method) {
  return std::filesystem::path(method).extension() == ".toml";
}

MethodEntry plan_file_method(const std::string& path) {
  if (!std::filesystem::exists(path)) throw UserError("there is no plan file " + path);
  return {path, "the plan of a file", [](OptionSet&) {},
          [path](const Backbone& backbone, const Partition&, OptionSet&, std::uint64_t seed) {
            const PlanDescription plan = read_plan(path, backbone);
            try {
              return build_plan(plan, backbone, seed);
            } catch (const UserError& error) {
              throw UserError(path + ": " + error.what());
            }
          }};
}

}  // namespace mlaan

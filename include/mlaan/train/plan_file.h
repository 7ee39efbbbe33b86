// Plan files: a supervision plan as TOML, to be read, edited and trained by.
//
//     model = "resnet20"
//     modules = ["stem to layer1.2", "layer2.0 to layer3.2"]
//
//     [[net]]
//     name = "aux.1.local"
//     layers = ["conv 3x3 32 stride 2", "linear 10"]    # see nn/layer_text.h
//
//     [[supervision]]
//     name = "local"
//     window = [1, 1]              # first and last module, from 1
//     net = "aux.1.local"          # "head": the backbone's own
//     loss = "cross_entropy"       # see parse_loss()
//     weight = 1.0
//     probability = 1.0            # may be left out
//
// A weight may change: weight = { from = 1.0, to = 0.0, course = "linear" }, or "cosine". A net may
// have `learning_rate = 0.5`, a factor on that of the training.
//
// A training may have phases, each with a plan of its own, or a method's:
//
//     [[phase]]
//     name = "local"
//     share = 0.75                 # of the training; the shares of all phases add up to 1
//     method = "mlaan-lean:modules=8:partition=bytes"
//
//     [[phase]]
//     name = "whole"
//     share = 0.25
//     settings = ["engine.recompute=unit"]     # may be left out
//     modules = ["stem to layer3.2"]           # a plan: its tables are [[phase.net]], …
//
//     [[phase.supervision]]
//     name = "output"
//     …
//
// Where all phases are methods, the file is itself a method, for any model: `model` may be left
// out, and [method] may say what it is for (summary = "…").
//
// A net reads the module at which its supervisions' windows end or, with `trunk = "NAME"`, another
// net.
#pragma once

#include <mlaan/local/method.h>
#include <mlaan/local/plan_description.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// A comment to put above a net; null for none.
using NetRemark = std::function<std::string(const NetDescription& net)>;

/// The text of a plan file.
std::string plan_text(const PlanDescription& plan, const Backbone& backbone,
                      const NetRemark& remark = nullptr);

/// A phase of a training as a plan file holds it.
struct PhaseDescription {
  std::string name;
  double share = 1;
  std::vector<std::string> settings;  ///< "engine.recompute=unit"
  PlanDescription plan;
};

/// The same, of a training with phases; of a single phase without a name, that of its plan.
std::string plan_text(const std::vector<PhaseDescription>& phases, const Backbone& backbone,
                      const NetRemark& remark = nullptr);

/// \throws UserError naming file, line and column for a text that is no plan: no TOML, an unknown
/// or
///         missing key, modules that overlap, leave a unit out or have none, another model's plan,
///         a plan with phases.
PlanDescription read_plan(const std::filesystem::path& path, const Backbone& backbone);

/// The same of a text. \param name what messages call it.
PlanDescription parse_plan(const std::string& text, const std::string& name,
                           const Backbone& backbone);

/// Whether a method's name is that of a plan file: whether it ends with ".toml".
bool is_plan_file(const std::string& method);

/// A method whose plan, or whose phases, are those of a file. \throws UserError where there is no
/// such file, where it is no TOML or has unknown keys, and for phases that do not fit together.
MethodEntry plan_file_method(const std::string& path);

}  // namespace mlaan

// Plan files: a supervision plan as TOML, which can be read, edited and trained.
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
// A weight may change during the training: weight = { from = 1.0, to = 0.0, course = "linear" }, or
// "cosine". A net may have `learning_rate = 0.5`, a factor on the training's learning rate.
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
// If all phases are methods, the file is itself a method, for any model: `model` may be left out,
// and [method] may say what the method is for (summary = "…").
//
// A net reads the output of the module at which its supervisions' windows end or, with
// `trunk = "NAME"`, the output of another net.
#pragma once

#include <mlaan/local/method.h>
#include <mlaan/local/plan_description.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// Returns a comment to print above a net; null: no comments.
using NetRemark = std::function<std::string(const NetDescription& net)>;

/// The text of a plan file.
std::string plan_text(const PlanDescription& plan, const Backbone& backbone,
                      const NetRemark& remark = nullptr);

/// A phase of a training, as a plan file has it.
struct PhaseDescription {
  std::string name;
  double share = 1;                   ///< of the training
  std::vector<std::string> settings;  ///< assignments such as "engine.recompute=unit"
  PlanDescription plan;
};

/// The same for a training with phases; for a single phase without a name, the text of its plan.
std::string plan_text(const std::vector<PhaseDescription>& phases, const Backbone& backbone,
                      const NetRemark& remark = nullptr);

/// \throws UserError naming file, line and column for a text that is not a plan: invalid TOML, an
///         unknown or missing key, modules that overlap, leave a unit out or are empty, a plan of
///         another model, a plan with phases.
PlanDescription read_plan(const std::filesystem::path& path, const Backbone& backbone);

/// The same as read_plan(), for a text.
/// \param name of the text in error messages.
PlanDescription parse_plan(const std::string& text, const std::string& name,
                           const Backbone& backbone);

/// Whether a method's name is that of a plan file, that is, ends with ".toml".
bool is_plan_file(const std::string& method);

/// The method whose plan or phases are in a file.
/// \throws UserError if the file does not exist, is invalid TOML or has unknown keys, and for
///         phases that do not fit together.
MethodEntry plan_file_method(const std::string& path);

}  // namespace mlaan

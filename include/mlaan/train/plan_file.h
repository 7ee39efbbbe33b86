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
// A net reads the module at which its supervisions' windows end or, with `trunk = "NAME"`, another
// net.
#pragma once

#include <mlaan/local/method.h>
#include <mlaan/local/plan_description.h>

#include <filesystem>
#include <functional>
#include <string>

namespace mlaan {

/// The text of a plan file.
/// \param remark a comment to put above each net; null for none.
std::string plan_text(
    const PlanDescription& plan, const Backbone& backbone,
    const std::function<std::string(const NetDescription& net)>& remark = nullptr);

/// \throws UserError naming file, line and column for a text that is no plan: no TOML, an unknown
/// or
///         missing key, modules that overlap, leave a unit out or have none, another model's plan.
PlanDescription read_plan(const std::filesystem::path& path, const Backbone& backbone);

/// The same of a text. \param name what messages call it.
PlanDescription parse_plan(const std::string& text, const std::string& name,
                           const Backbone& backbone);

/// Whether a method's name is that of a plan file: whether it ends with ".toml".
bool is_plan_file(const std::string& method);

/// A method whose plan is that of a file. \throws UserError where there is no such file.
MethodEntry plan_file_method(const std::string& path);

}  // namespace mlaan

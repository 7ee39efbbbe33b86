// Writes plans as plan files.
#include "train/plan_words.h"

#include <mlaan/core/options.h>
#include <mlaan/train/plan_file.h>

namespace mlaan {
namespace {

std::string quoted(const std::string& text) {
  return to_toml(OptionValue(text));
}

std::string weight_text(const SupervisionDescription& supervision) {
  const std::string weight = to_toml(OptionValue(supervision.weight));
  if (supervision.course == WeightCourse::constant) return weight;
  return "{ from = " + weight + ", to = " + to_toml(OptionValue(supervision.final_weight)) +
         ", course = " + quoted(to_string(supervision.course)) + " }";
}

/// The text of a plan. \param prefix of its tables' names, such as "phase.".
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

}  // namespace mlaan

// A supervision plan as names, numbers and text, as methods make it and plan files store it.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/nn/layer_text.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// An auxiliary net.
struct NetDescription {
  std::string name;   ///< "aux.3.local"
  std::string trunk;  ///< name of the net whose output it reads; empty: the module's output
  LayerTexts layers;
  double learning_rate = 1;  ///< factor on the training's learning rate
};

/// See Supervision.
struct SupervisionDescription {
  std::string name;
  std::size_t first = 0;  ///< first module of the window, from 0
  std::size_t last = 0;   ///< last module of the window
  std::string net;        ///< name of the net; "head" for the backbone's own head
  std::string loss;       ///< text for parse_loss()
  double weight = 1;
  double probability = 1;
  WeightCourse course = WeightCourse::constant;
  double final_weight = 1;
};

struct PlanDescription {
  Partition partition;
  std::vector<NetDescription> nets;
  std::vector<SupervisionDescription> supervisions;
};

/// The name of the backbone's own head in descriptions.
inline constexpr const char* head_name = "head";

/// Makes the plan and its nets. A net's weights are a pure function of the seed and the net's name.
/// \throws UserError naming the net or supervision that is invalid: a net that does not exist, that
///         no supervision uses, or that reads features of different shapes; an unknown layer.
Plan build_plan(const PlanDescription& description, const Backbone& backbone, std::uint64_t seed);

/// Describes a plan, from which build_plan() can make it again.
/// \throws UserError for a net that was not made from layer texts, or a loss that parse_loss() does
///         not know.
PlanDescription describe(const Plan& plan, const Backbone& backbone);

}  // namespace mlaan

// A supervision plan as names, numbers and text: what methods write, and plan files hold.
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
  std::string trunk;  ///< name of the net that it reads; empty: it reads the module's output
  LayerTexts layers;
  double learning_rate = 1;  ///< factor on that of the training
};

/// See Supervision.
struct SupervisionDescription {
  std::string name;
  std::size_t first = 0;  ///< from 0
  std::size_t last = 0;
  std::string net;   ///< its name; "head" for the backbone's own
  std::string loss;  ///< as parse_loss() takes it
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

/// What descriptions call the backbone's own head.
inline constexpr const char* head_name = "head";

/// Makes the nets. Their weights are a pure function of the seed and each net's name.
/// \throws UserError naming the net or supervision that cannot be: a net that is not there, that
///         nobody reads, or that reads features of different shapes; a layer that is none.
Plan build_plan(const PlanDescription& description, const Backbone& backbone, std::uint64_t seed);

/// What build_plan() makes such a plan from.
/// \throws UserError for a net that was not made from layer texts, or a loss that parse_loss() does
///         not know.
PlanDescription describe(const Plan& plan, const Backbone& backbone);

}  // namespace mlaan

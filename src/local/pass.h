// One pass of a batch, or of a part of one, through the schedule.
#pragma once

#include "local/boundary.h"
#include "local/cotangents.h"
#include "local/gradient_tap.h"
#include "local/module_run.h"

#include <mlaan/nn/loss.h>

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace mlaan {

struct PassSettings {
  bool update = true;     ///< whether parameters are updated; otherwise gradients are added up
  double share = 1;       ///< of the batch that is updated from: a factor on all gradients
  std::int64_t draw = 0;  ///< numbers its random draws: no two passes of a training have the same
  bool computes = true;   ///< otherwise it updates alone, from what passes before it have added up
  std::optional<double> learning_rate{};  ///< of its updates; none: that of the optimizers
};

/// A trunk between its forward pass and its backward pass.
struct TrunkRun {
  GradientTap input;
  torch::Tensor output;
  Cotangents cotangents;  ///< at its output
};

/// Everything that is alive between the operations of one pass. Made anew for each, so that nothing
/// of a pass that was broken off is left to another.
struct Pass {
  PassSettings settings;
  Targets targets;                      ///< of the backbone's own head; images on the device
  Targets net_targets;                  ///< of all other nets
  torch::Dtype input_dtype{};           ///< of the images
  std::vector<SharedBoundary> outputs;  ///< of each module
  std::vector<ModuleRun> modules;
  std::vector<Cotangents> cotangents;                              ///< at each module's output
  std::map<std::pair<std::size_t, std::size_t>, TrunkRun> trunks;  ///< by module and net
  std::vector<torch::Tensor> losses;  ///< of each supervision; undefined where left out
  torch::Tensor logits;               ///< of the backbone's own head

  /// Of the first module.
  Boundary input() const { return {targets.images, input_dtype}; }
};

}  // namespace mlaan

// One pass of a batch, or of a micro-batch, through the schedule.
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
  bool update = true;       ///< whether parameters are updated; otherwise gradients are accumulated
  double share = 1;         ///< of the batch that an update is based on: a factor on all gradients
  std::int64_t draw = 0;    ///< number of the pass's random streams, unique within a training
  std::int64_t choice = 0;  ///< number of the stream that chooses what is evaluated
  bool computes = true;     ///< otherwise the pass only updates, from gradients accumulated before
  std::optional<double> learning_rate{};  ///< of the pass's updates; none: as set in the optimizers
};

/// A trunk between its forward pass and its backward pass.
struct TrunkRun {
  GradientTap input;
  torch::Tensor output;
  Cotangents cotangents;  ///< at the trunk's output
};

/// Everything that is alive between the operations of one pass. Each pass gets a new one, so that a
/// pass that was aborted leaves nothing to another.
struct Pass {
  PassSettings settings;
  Targets targets;                      ///< for the backbone's own head; images on the device
  Targets net_targets;                  ///< for all other nets
  torch::Dtype input_dtype{};           ///< of the images
  std::vector<SharedBoundary> outputs;  ///< of each module
  std::vector<ModuleRun> modules;
  std::vector<Cotangents> cotangents;                              ///< at each module's output
  std::map<std::pair<std::size_t, std::size_t>, TrunkRun> trunks;  ///< by module and net
  std::vector<torch::Tensor> losses;  ///< of each supervision; undefined if skipped
  torch::Tensor logits;               ///< of the backbone's own head

  /// The first module's input.
  Boundary input() const { return {targets.images, input_dtype}; }
};

}  // namespace mlaan

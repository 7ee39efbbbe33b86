// Runs an auxiliary net, and its loss, within a pass.
#pragma once

#include "local/execution.h"

#include <mlaan/nn/linear_reading.h>

#include <cstddef>

namespace mlaan {

/// Whether the evaluation is drawn to take place in this pass. \param net whose stream decides.
bool is_evaluated_now(const Execution& execution, const Evaluation& evaluation, std::size_t net);

/// The output of the net's first unit if that is a linear map, else the input.
torch::Tensor read(const Execution& execution, const torch::Tensor& input, LinearReading& reading);

/// Runs a net on the output of module `module`.
/// \param input of unit `first_unit`, the first one that runs.
/// \throws UserError if the net changes its input in place.
torch::Tensor run_net(const Execution& execution, std::size_t net, std::size_t module,
                      const torch::Tensor& input, std::size_t first_unit = 0);

struct NetLoss {
  torch::Tensor loss;    ///< with its graph
  torch::Tensor logits;  ///< detached logits of the backbone's own head; undefined for other nets
};

/// Runs an evaluation's net and loss.
NetLoss run_to_loss(const Execution& execution, const Evaluation& evaluation,
                    const torch::Tensor& input, std::size_t first_unit);

}  // namespace mlaan

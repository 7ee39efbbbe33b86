// A unit whose activations are dropped after its forward pass and recomputed when needed.
#pragma once

#include <mlaan/nn/unit.h>

#include <torch/types.h>

namespace mlaan {

/// Runs a unit so that the graph keeps only its input. The backward pass runs the unit again with
/// the same random draws, and leaves running statistics as the first run left them; so gradients
/// are the same bit for bit.
/// \param input must not change until the backward pass.
/// \param overwrites_input the unit changes its input in place, so it runs on a copy.
/// \throws UserError if the unit changes its input although `overwrites_input` is false.
torch::Tensor run_recomputed(const Unit& unit, const torch::Tensor& input,
                             bool overwrites_input = false);

}  // namespace mlaan

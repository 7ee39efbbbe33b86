// A unit whose activations are dropped after its forward pass and computed again when needed.
#pragma once

#include <mlaan/nn/unit.h>

#include <torch/types.h>

namespace mlaan {

/// Runs a unit in such a way that the graph keeps nothing of it but its input. Its backward pass
/// runs the unit again, with the same random draws, and leaves running statistics as the first run
/// left them; so gradients are the same bit for bit.
/// \param input must stay as it is until the backward pass.
/// \param overwrites_input the unit works in place on what it is given, so it is given a copy.
/// \throws UserError if it does so without being said to.
torch::Tensor run_recomputed(const Unit& unit, const torch::Tensor& input,
                             bool overwrites_input = false);

}  // namespace mlaan

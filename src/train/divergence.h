// Detects a training that has diverged: NaN or infinite numbers in its state.
#pragma once

#include <mlaan/local/engine.h>

#include <torch/types.h>

#include <string>

namespace mlaan {

/// Names the first thing in an engine's state that is not finite, such as "weight 'conv1.weight'".
/// A checkpoint of such a state must not be written. Checks parameters, running statistics, the
/// optimizers' state and the network's present logits, which overflow if weights are finite but far
/// too large.
/// \param images a few images of a batch; if undefined, logits are not checked.
/// \return "" if everything is finite.
std::string what_is_not_finite(Engine& engine, const torch::Tensor& images);

}  // namespace mlaan

// Training that has gone wrong for good: numbers that are none.
#pragma once

#include <mlaan/local/engine.h>

#include <torch/types.h>

#include <string>

namespace mlaan {

/// What of an engine's state is not finite, if anything is, so that no checkpoint may be made of
/// it: "weight 'conv1.weight'". Parameters, running statistics, the optimizers' state, and the
/// logits that the network gives now, which overflow of weights that are finite but far too large.
/// \param images a few of a batch; undefined: no logits are looked at.
/// \return "" if all of it is finite.
std::string what_is_not_finite(Engine& engine, const torch::Tensor& images);

}  // namespace mlaan

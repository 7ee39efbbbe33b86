// Finds the output shapes of layers by running them on a sample.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/unit.h>

#include <torch/types.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// Shape of a batch of `count` samples.
/// \param shape of one sample.
Shape batch_shape(std::int64_t count, const Shape& shape);

/// A batch of `count` samples of zeros.
/// \param shape of one sample.
torch::Tensor zero_batch(std::int64_t count, const Shape& shape,
                         const torch::TensorOptions& options = {});

/// Shape of one sample of a batch.
Shape shape_of(const torch::Tensor& batch);

/// Runs a unit on a batch.
/// \param owner name of the network that the unit is part of, for messages.
/// \throws UserError naming the unit, if it cannot read the batch, or does not return one row or
///         map for each sample.
torch::Tensor probe(const Unit& unit, const torch::Tensor& batch, const std::string& owner);

}  // namespace mlaan

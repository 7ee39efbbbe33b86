// Exponential moving averages of parameters.
#pragma once

#include <mlaan/nn/unit.h>

#include <vector>

namespace mlaan {

/// A set of frozen tensors that follows another: average ← m·average + (1−m)·source. Where an
/// average is smaller than its source, the source is grouped() to its shape.
struct ParameterAverage {
  std::vector<torch::Tensor> average;
  std::vector<torch::Tensor> source;
  double momentum = 0.995;
};

/// Freezes the parameters of `average` and makes them follow those of `source`. Buffers do not
/// follow.
/// \throws UserError if the units' parameters differ in number, or a shape does not divide that of
///         its source.
ParameterAverage follow(const Unit& average, const Unit& source, double momentum);

/// Makes averages share memory if they have equal values now and after every update(), because they
/// follow the same tensor with the same momentum. With momentum 0 they share the source's own
/// memory. Averages that follow another average keep their own memory.
void share_memory(const std::vector<ParameterAverage>& averages);

/// Moves every average one step towards its source; averages that share memory move once.
void update(const std::vector<ParameterAverage>& averages);

}  // namespace mlaan

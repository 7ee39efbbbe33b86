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

/// Freezes the parameters of `average` and lets them follow those of `source`. Buffers do not take
/// part.
/// \throws UserError where the units' parameters differ in number or shape.
ParameterAverage follow(const Unit& average, const Unit& source, double momentum);

/// Lets averages that hold the same numbers now and after every update(), since they follow one
/// tensor with one momentum, have one memory; with the momentum 0 it is that of the source itself.
/// Averages that follow an average keep their own.
void share_memory(const std::vector<ParameterAverage>& averages);

/// Moves every average one step towards its source; those of one memory once.
void update(const std::vector<ParameterAverage>& averages);

}  // namespace mlaan

// One module within a pass: its forward pass, kept activations, recomputation and backward pass.
#pragma once

#include "local/boundary.h"
#include "local/gradient_tap.h"
#include "local/module_units.h"
#include "local/operations/backward_module.h"

#include <mlaan/nn/gradient.h>
#include <mlaan/nn/kept_statistics.h>

#include <torch/types.h>

#include <cstdint>
#include <optional>

namespace mlaan {

/// What a forward pass keeps for the backward pass.
struct KeptOfForward {
  bool graph = false;           ///< all activations
  bool input = false;           ///< the input and the statistics, for recompute()
  bool input_gradient = false;  ///< the backward pass will compute the input's gradient
};

/// A module's activations, from forward() to release().
class ModuleRun {
 public:
  /// \param units must outlive the run.
  explicit ModuleRun(const ModuleUnits& units) : units_(&units) {}

  /// Runs the units on the detached input.
  /// \param stream seed of the random stream.
  /// \return the detached output.
  torch::Tensor forward(const Boundary& input, const KeptOfForward& kept, std::uint64_t stream);
  /// Runs the units again as forward() did, now with a graph; leaves their buffers unchanged.
  /// \param stream the seed that forward() was given.
  void recompute(std::uint64_t stream);

  /// Adds to the parameters' gradients and returns the input's gradient, as the settings ask; frees
  /// the graph after the last call. An undefined cotangent means zero, and nothing is computed.
  torch::Tensor backward(Gradient cotangent, const BackwardSettings& settings);

  /// Frees activations and output.
  void release();

 private:
  torch::Tensor run(std::uint64_t stream);
  torch::Tensor make_leaf();

  const ModuleUnits* units_;
  Boundary input_;
  bool input_gradient_ = false;
  std::optional<GradientTap> input_tap_;  ///< receives the gradient for the previous module
  torch::Tensor output_;
  KeptStatistics statistics_;  ///< of a forward pass that will be recomputed
};

}  // namespace mlaan

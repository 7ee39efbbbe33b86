// One module within a pass: its forward pass, what that keeps alive, and products with it.
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

/// What a forward pass is to keep for the backward pass.
struct KeptOfForward {
  bool graph = false;           ///< all activations
  bool input = false;           ///< what recompute() needs
  bool input_gradient = false;  ///< a gradient will be asked for at the input
};

/// A module's activations, from forward() to release().
class ModuleRun {
 public:
  /// \param units must outlive it.
  explicit ModuleRun(const ModuleUnits& units) : units_(&units) {}

  /// Runs the units on the input, detached.
  /// \param stream to draw from.
  /// \return the output, detached.
  torch::Tensor forward(const Boundary& input, const KeptOfForward& kept, std::uint64_t stream);
  /// Runs the units again as forward() did, recording; leaves their buffers as they are.
  /// \param stream that forward() drew from.
  void recompute(std::uint64_t stream);

  /// Adds to the parameters' gradients, and returns the input's, as the settings ask; frees the
  /// graph after the last one. An undefined cotangent is a zero, of which nothing comes.
  torch::Tensor backward(Gradient cotangent, const BackwardSettings& settings);

  /// Lets go of activations and output.
  void release();

 private:
  torch::Tensor run(std::uint64_t stream);
  torch::Tensor make_leaf();

  const ModuleUnits* units_;
  Boundary input_;
  bool input_gradient_ = false;
  std::optional<GradientTap> input_tap_;  ///< where a gradient travels on to the module before
  torch::Tensor output_;
  KeptStatistics statistics_;  ///< of a forward pass that is recomputed
};

}  // namespace mlaan

// One module within a training step: its forward pass, what that keeps alive, and products with it.
#pragma once

#include "local/cotangents.h"
#include "local/gradient_tap.h"
#include "nn/kept_statistics.h"

#include <mlaan/local/schedule.h>
#include <mlaan/nn/unit.h>

#include <torch/types.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace mlaan {

/// Units f_first … f_last and, between forward() and release(), their activations.
class ModuleRun {
 public:
  /// \param overwrites_input for each unit whether it works in place on what it is given.
  /// \param recomputed for each unit whether to keep nothing of it but its input.
  ModuleRun(std::vector<Unit> units, std::vector<bool> overwrites_input,
            std::vector<bool> recomputed, torch::Device device);

  /// Runs the units on `input`, detached.
  /// \param dtype to compute with the input in; it is kept as it is.
  /// \param stream to draw from.
  /// \return the output, detached.
  torch::Tensor forward(const torch::Tensor& input, torch::Dtype dtype, const RunModule& how,
                        std::uint64_t stream);
  /// Runs the units again as forward() did, recording; leaves their buffers as they are.
  /// \param stream that forward() drew from.
  void rebuild(std::uint64_t stream);

  /// Adds to the parameters' gradients, and returns the input's, as the product asks; frees the
  /// graph after the last one. An undefined cotangent is a zero, of which nothing comes.
  /// \param returns the caller keeps the cotangent, but only to add it to that of another product
  ///        of the same output. Parts that cannot matter to that may then be set to 0 in it.
  torch::Tensor product(Cotangent cotangent, const Product& product, bool returns);

  /// Lets go of activations and output.
  void release();

  /// Those that take a gradient.
  const std::vector<torch::Tensor>& parameters() const { return parameters_; }
  const std::vector<NamedTensor>& named_parameters() const { return named_parameters_; }

 private:
  torch::Tensor run(std::uint64_t stream);
  torch::Tensor make_leaf();

  std::vector<Unit> units_;
  std::vector<bool> overwrites_input_;
  std::vector<bool> recomputed_;
  torch::Device device_;
  std::vector<NamedTensor> named_parameters_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> buffers_;

  torch::Tensor input_;
  torch::Dtype dtype_ = torch::kFloat32;  ///< that the input is computed with in
  bool input_gradient_ = false;
  std::optional<GradientTap> input_tap_;  ///< where a gradient travels on to the module before
  torch::Tensor output_;
  KeptStatistics statistics_;  ///< of a forward pass that is rebuilt
};

}  // namespace mlaan

// Layers that can recompute some of their activations.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// A layer that can save fewer activations for its backward pass and recompute the others then: the
/// same gradients bit for bit, for some more time. Derive a `torch::nn` module from it as well.
class RecomputesActivations {
 public:
  virtual ~RecomputesActivations() = default;
  void set_recomputes(bool on) { recomputes_ = on; }

 protected:
  RecomputesActivations() = default;
  RecomputesActivations(const RecomputesActivations&) = default;
  RecomputesActivations& operator=(const RecomputesActivations&) = default;
  bool recomputes() const { return recomputes_; }

 private:
  bool recomputes_ = false;
};

/// A layer whose recomputation is cheaper where the output of its first run still exists. Derive a
/// `torch::nn` module from it as well.
class ReusesOutput {
 public:
  virtual ~ReusesOutput() = default;
  /// What forward() gives for the input, the same gradients bit for bit.
  /// \param output what forward() gave for it, of which the result is an alias; or undefined.
  virtual torch::Tensor recompute_forward(const torch::Tensor& input,
                                          const torch::Tensor& output) = 0;

 protected:
  ReusesOutput() = default;
  ReusesOutput(const ReusesOutput&) = default;
  ReusesOutput& operator=(const ReusesOutput&) = default;
};

}  // namespace mlaan

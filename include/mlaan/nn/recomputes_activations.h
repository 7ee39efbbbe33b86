// Layers that can recompute some of their activations.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// Base class of layers that can save fewer activations for their backward pass and recompute the
/// others then: the gradients are the same, bit for bit, and take some more time. Derive from it in
/// addition to a `torch::nn` module.
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

/// Base class of layers whose recomputation is cheaper if the output of their first run still
/// exists. Derive from it in addition to a `torch::nn` module.
class ReusesOutput {
 public:
  virtual ~ReusesOutput() = default;
  /// Runs forward() again: the result and its gradients are the same, bit for bit.
  /// \param output the first run's output for this input, of which the result is then an alias;
  ///        undefined if it is gone.
  virtual torch::Tensor recompute_forward(const torch::Tensor& input,
                                          const torch::Tensor& output) = 0;

 protected:
  ReusesOutput() = default;
  ReusesOutput(const ReusesOutput&) = default;
  ReusesOutput& operator=(const ReusesOutput&) = default;
};

}  // namespace mlaan

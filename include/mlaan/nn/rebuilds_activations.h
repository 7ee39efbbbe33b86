// Layers that can recompute some of their activations.
#pragma once

#include <torch/types.h>

namespace mlaan {

/// A layer that can save fewer activations for its backward pass and recompute the others then: the
/// same gradients bit for bit, for some more time. Derive a `torch::nn` module from it as well.
class RebuildsActivations {
 public:
  virtual ~RebuildsActivations() = default;
  void set_rebuilds(bool on) { rebuilds_ = on; }

 protected:
  RebuildsActivations() = default;
  RebuildsActivations(const RebuildsActivations&) = default;
  RebuildsActivations& operator=(const RebuildsActivations&) = default;
  bool rebuilds() const { return rebuilds_; }

 private:
  bool rebuilds_ = false;
};

/// A layer whose recomputation is cheaper where the output of its first run still exists. Derive a
/// `torch::nn` module from it as well.
class KnowsOutputAgain {
 public:
  virtual ~KnowsOutputAgain() = default;
  /// What forward() gives for the input, the same gradients bit for bit.
  /// \param output what forward() gave for it, of which the result is an alias; or undefined.
  virtual torch::Tensor forward_again(const torch::Tensor& input, const torch::Tensor& output) = 0;

 protected:
  KnowsOutputAgain() = default;
  KnowsOutputAgain(const KnowsOutputAgain&) = default;
  KnowsOutputAgain& operator=(const KnowsOutputAgain&) = default;
};

}  // namespace mlaan

// Makes layers and losses use LibTorch's own operators instead of mlaan's kernels.
#pragma once

namespace mlaan {

/// While a scope that is on exists, layers and losses in this thread compute with LibTorch's own
/// operators and leave derivatives to autograd, where they would otherwise use mlaan's kernels.
/// Results and gradients agree up to rounding; steps take more time and memory, and layers that are
/// a RecomputesActivations save all activations. The innermost scope counts.
class ReferenceKernelsScope {
 public:
  explicit ReferenceKernelsScope(bool on) : outer_(active_) { active_ = on; }
  ~ReferenceKernelsScope() { active_ = outer_; }
  ReferenceKernelsScope(const ReferenceKernelsScope&) = delete;
  ReferenceKernelsScope& operator=(const ReferenceKernelsScope&) = delete;

  static bool active() { return active_; }

 private:
  bool outer_;
  inline static thread_local bool active_ = false;
};

}  // namespace mlaan

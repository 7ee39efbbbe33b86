// Layers and losses made of LibTorch's own operators alone.
#pragma once

namespace mlaan {

/// While one that is on exists, layers and losses in this thread compute by LibTorch's own
/// operators and leave derivatives to autograd, where they would otherwise use kernels of mlaan's.
/// Results and gradients agree to rounding; steps take longer and more memory, and layers that
/// RecomputesActivations keep theirs.
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

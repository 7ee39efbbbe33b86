// Tells layers that their caller does not keep their output.
#pragma once

namespace mlaan {

/// While a scope exists, callers in this thread use the outputs of layers at once and then free
/// them: an output is added to another tensor, or was recomputed only for a backward pass. A layer
/// that would save its output for its backward pass then saves something smaller instead, which
/// lets the output's memory be freed.
class DroppedOutputScope {
 public:
  DroppedOutputScope() : outer_(active_) { active_ = true; }
  ~DroppedOutputScope() { active_ = outer_; }
  DroppedOutputScope(const DroppedOutputScope&) = delete;
  DroppedOutputScope& operator=(const DroppedOutputScope&) = delete;

  static bool active() { return active_; }

 private:
  bool outer_;
  inline static thread_local bool active_ = false;
};

}  // namespace mlaan

// Whether what a layer gives is soon dropped by whoever asked for it.
#pragma once

namespace mlaan {

/// While one exists, what layers give in this thread is used at once and then dropped - it is added
/// to something, or was only rebuilt for a backward pass - so that a layer saves bytes by not
/// keeping its output for itself.
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

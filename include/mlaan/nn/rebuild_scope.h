// Whether a layer runs only to rebuild what a backward pass needs.
#pragma once

namespace mlaan {

/// While one exists, what layers give in this thread is used for one backward pass and dropped at
/// once, so that a layer saves bytes by not keeping its output for itself.
class RebuildScope {
 public:
  RebuildScope() : outer_(active_) { active_ = true; }
  ~RebuildScope() { active_ = outer_; }
  RebuildScope(const RebuildScope&) = delete;
  RebuildScope& operator=(const RebuildScope&) = delete;

  static bool active() { return active_; }

 private:
  bool outer_;
  inline static thread_local bool active_ = false;
};

}  // namespace mlaan

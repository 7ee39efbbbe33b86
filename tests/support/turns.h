// Ranks that are threads of one process, of which one computes at a time.
#pragma once

#include <mlaan/local/gradient_reducer.h>

#include <memory>
#include <mutex>
#include <utility>

namespace mlaan::testing {

/// Sums gradients, and lets another rank compute while it waits. Ranks are processes otherwise:
/// LibTorch's kernels need not bear several threads that run the same network at once, and layers
/// draw from one generator.
class TurnTakingReducer final : public GradientReducer {
 public:
  /// \param turn held by this rank's thread while it computes.
  TurnTakingReducer(std::unique_ptr<GradientReducer> reducer, std::unique_lock<std::mutex>& turn)
      : reducer_(std::move(reducer)), turn_(turn) {}

  void start(const TrainedPart& part) override { reducer_->start(part); }
  bool is_done(const TrainedPart& part) override { return reducer_->is_done(part); }
  void finish(const TrainedPart& part) override {
    turn_.unlock();
    try {
      reducer_->finish(part);
    } catch (...) {
      turn_.lock();
      throw;
    }
    turn_.lock();
  }
  void abandon() override { reducer_->abandon(); }

 private:
  std::unique_ptr<GradientReducer> reducer_;
  std::unique_lock<std::mutex>& turn_;
};

}  // namespace mlaan::testing

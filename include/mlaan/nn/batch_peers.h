// The processes that share a batch, as layers and losses see them.
#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <utility>

namespace mlaan {

/// The processes that each have a share of one batch. All of them call the same functions in the
/// same order. `what` names the purpose in error messages.
class BatchPeers {
 public:
  virtual ~BatchPeers() = default;

  /// Replaces the numbers, contiguous and on the CPU, by their sums over all processes.
  virtual void sum(const torch::Tensor& numbers, const std::string& what) = 0;

  /// The rows of all processes, in their order.
  struct Gathered {
    torch::Tensor rows;      ///< of all, on the device and of the dtype of this process's
    std::int64_t first = 0;  ///< where this process's rows begin
  };
  /// \param rows of this process, which may have another number of them than others.
  virtual Gathered gather(const torch::Tensor& rows, const std::string& what) = 0;
};

/// While a scope with peers exists, mlaan's batch normalisation layers in this thread normalise, in
/// training, by the statistics of all processes' images, forward and backward. The innermost scope
/// counts.
class JointStatisticsScope {
 public:
  /// \param peers null: each process normalises by itself.
  explicit JointStatisticsScope(std::shared_ptr<BatchPeers> peers)
      : outer_(std::exchange(active_, std::move(peers))) {}
  ~JointStatisticsScope() { active_ = std::move(outer_); }
  JointStatisticsScope(const JointStatisticsScope&) = delete;
  JointStatisticsScope& operator=(const JointStatisticsScope&) = delete;

  static const std::shared_ptr<BatchPeers>& active() { return active_; }

 private:
  std::shared_ptr<BatchPeers> outer_;
  inline static thread_local std::shared_ptr<BatchPeers> active_;
};

}  // namespace mlaan

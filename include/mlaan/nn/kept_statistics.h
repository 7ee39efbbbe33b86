// Statistics of batch normalisations, kept from a forward pass for its recomputation.
#pragma once

#include <mlaan/nn/batch_peers.h>

#include <torch/types.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace mlaan {

/// The statistics of one batch, as a batch normalisation layer computed them.
struct BatchStatistics {
  const void* layer = nullptr;
  torch::Tensor mean;
  torch::Tensor inverse_deviation;
  std::shared_ptr<BatchPeers> peers{};  ///< with whose images; null: of this process's images
  double count = 0;                     ///< elements of a channel, if there are peers
};

/// The statistics of all layers, in the order in which the layers ran.
using KeptStatistics = std::vector<BatchStatistics>;

/// While a scope exists, mlaan's batch normalisation layers in this thread append the statistics of
/// the batch to `statistics` (keep), or read them from there instead of computing them (take). A
/// layer that reads them leaves its running statistics unchanged. The innermost scope counts.
class KeptStatisticsScope {
 public:
  enum class Mode { keep, take };

  KeptStatisticsScope(KeptStatistics& statistics, Mode mode)
      : statistics_(statistics), mode_(mode), outer_(innermost_) {
    innermost_ = this;
  }
  ~KeptStatisticsScope() { innermost_ = outer_; }
  KeptStatisticsScope(const KeptStatisticsScope&) = delete;
  KeptStatisticsScope& operator=(const KeptStatisticsScope&) = delete;

  static void keep(BatchStatistics found) {
    if (innermost_ == nullptr || innermost_->mode_ != Mode::keep) return;
    innermost_->statistics_.push_back(std::move(found));
  }

  /// The layer's next kept statistics, in the order of its runs. nullopt without a scope of
  /// Mode::take, or if there are none, since mlaan's kernels did not run the layer then.
  static std::optional<BatchStatistics> take(const void* layer) {
    if (innermost_ == nullptr || innermost_->mode_ != Mode::take) return std::nullopt;
    auto& next = innermost_->next_;
    for (std::size_t i = next; i < innermost_->statistics_.size(); ++i) {
      if (innermost_->statistics_[i].layer != layer) continue;
      next = i + 1;
      return innermost_->statistics_[i];
    }
    return std::nullopt;
  }

 private:
  KeptStatistics& statistics_;
  Mode mode_;
  std::size_t next_ = 0;
  KeptStatisticsScope* outer_;
  inline static thread_local KeptStatisticsScope* innermost_ = nullptr;
};

}  // namespace mlaan

// Statistics of batch normalisations, kept from a forward pass for the one that recomputes it.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace mlaan {

/// What a batch normalisation found out about a batch.
struct BatchStatistics {
  const void* layer = nullptr;
  torch::Tensor mean;
  torch::Tensor inverse_deviation;
};

/// Those of all layers, in the order in which they ran.
using KeptStatistics = std::vector<BatchStatistics>;

/// While one exists, batch normalisations of our own in this thread put what they find into
/// `statistics`, or take it from there in place of summing over the batch; those then leave running
/// statistics alone. The innermost counts.
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

  /// What the layer found when it ran for as many times as it has taken now; none where nothing is
  /// to be taken, or where it was not one of our own then.
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

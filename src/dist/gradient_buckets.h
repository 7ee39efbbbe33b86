// Gradients summed over all ranks, small parts together.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/gradient_reducer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mlaan {

/// Sums gradients in buckets: parts that come one after the other, until they have so many bytes
/// together. A gradient that no rank has stays undefined, as it does in one process.
class GradientBuckets final : public GradientReducer {
 public:
  /// \param group that outlives it.
  GradientBuckets(ProcessGroup& group, std::int64_t bucket_bytes);
  ~GradientBuckets() override;

  void start(const TrainedPart& part) override;
  bool is_done(const TrainedPart& part) override;
  /// Where the part's bucket is not full yet, it is sent as it is.
  void finish(const TrainedPart& part) override;
  void abandon() override;

 private:
  class Bucket;
  void send_open();

  ProcessGroup& group_;
  std::int64_t bucket_bytes_;
  std::shared_ptr<Bucket> open_;  ///< that is not sent yet
  std::unordered_map<const TrainedPart*, std::shared_ptr<Bucket>> buckets_;
};

}  // namespace mlaan

// Sums gradients over all ranks; small parts share an all-reduce.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/gradient_reducer.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mlaan {

/// Sums gradients in buckets: consecutive parts share a bucket until it has `bucket_bytes`. A
/// gradient that no rank has stays undefined, as in a single process.
class GradientBuckets final : public GradientReducer {
 public:
  /// \param group must outlive this object.
  GradientBuckets(ProcessGroup& group, std::int64_t bucket_bytes);
  ~GradientBuckets() override;

  void start(const TrainedPart& part) override;
  bool is_done(const TrainedPart& part) override;
  /// Sends the part's bucket first, if it is not full yet.
  void finish(const TrainedPart& part) override;
  void abandon() override;

 private:
  class Bucket;
  void send_open();

  ProcessGroup& group_;
  std::int64_t bucket_bytes_;
  std::shared_ptr<Bucket> open_;  ///< the bucket that is not sent yet
  std::unordered_map<const TrainedPart*, std::shared_ptr<Bucket>> buckets_;
};

}  // namespace mlaan

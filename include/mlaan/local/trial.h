// A trial: a plan stepped on a few images, from which follows what a step on many takes.
#pragma once

#include <mlaan/local/engine.h>
#include <mlaan/measure/allocation_trace.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// The highest bytes while one operation of the schedule runs.
struct OperationPeak {
  std::size_t module = 0;
  std::int64_t bytes = 0;
};

/// Steps a plan on two and on four images of noise, on the CPU, and records every allocation: each
/// block's size is a constant and a part for each image, so the bytes of a step on any batch
/// follow without the batch's activations ever being there. Supervisions that chance leaves out of
/// some steps, or whose weight is 0 for a part of the training, are evaluated in all, so that the
/// peak is that of the fullest step.
///
/// Needs the counting allocator. Backbone and plan are trained on noise: hand in ones to throw
/// away.
class Trial {
 public:
  Trial(Backbone backbone, Plan plan, EngineOptions options);

  const Plan& plan() const { return engine_.plan(); }
  const Backbone& backbone() const { return engine_.backbone(); }
  const Schedule& schedule() const { return engine_.schedule(); }

  /// See Engine::set_recompute().
  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets);

  /// Bytes of parameters, buffers and optimizer state, which are there between steps.
  std::int64_t resting_bytes() const { return resting_bytes_; }

  /// Highest bytes of a step on `batch` images, everything but the batch itself counted.
  std::int64_t peak_bytes(std::int64_t batch, std::int64_t micro_batches = 1) const;

  /// The same, for each operation. The last entry is what comes after the last operation.
  std::vector<OperationPeak> peaks(std::int64_t batch, std::int64_t micro_batches = 1) const;

  /// Largest batch whose step stays within so many bytes; 0 where one image does not.
  std::int64_t largest_batch(std::int64_t bytes) const;

  /// Seconds of a step on `batch` images: measured on a part of them, as many as 32 and as stay
  /// within `bytes`, and grown in proportion; random supervisions by their share of the steps.
  double seconds(std::int64_t batch, std::int64_t bytes);

  /// The same of each operation of schedule(), each at its fastest.
  /// \param images to measure on, at most.
  std::vector<double> operation_seconds(std::int64_t batch, std::int64_t images = 32);

 private:
  struct Recording {
    measure::AllocationTrace trace;
    std::vector<std::size_t> ends;  ///< events until the end of each operation
  };

  void record();
  Recording record_step(std::int64_t images);
  void step(std::int64_t images);

  std::vector<double> probabilities_;  ///< of the plan's supervisions, as it was handed in
  torch::MemoryFormat memory_format_;
  Engine engine_;
  std::int64_t resting_bytes_ = 0;
  std::int64_t gradient_bytes_ = 0;   ///< of all trained parameters
  std::vector<std::size_t> modules_;  ///< of the operations, and of the end of the step
  Recording smaller_;
  Recording larger_;
};

}  // namespace mlaan

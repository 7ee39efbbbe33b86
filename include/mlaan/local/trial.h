// A trial: steps on a few images that predict the memory and time of steps on many.
#pragma once

#include <mlaan/local/engine.h>
#include <mlaan/measure/allocation_trace.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// The peak memory while one operation of the schedule runs.
struct OperationPeak {
  std::size_t module = 0;
  std::int64_t bytes = 0;
};

/// Steps a plan on two and on four images of noise, on the CPU, and records every allocation. Each
/// block's size is taken as a constant plus a number of bytes per image, which predicts the bytes
/// of a step on any batch without allocating that batch's activations. Supervisions that are left
/// out of some steps at random, or whose weight is 0 in a part of the training, are evaluated in
/// every step, so that the peak is that of the step that needs most.
///
/// Needs the counting allocator. Backbone and plan are trained on noise, so do not use them
/// afterwards.
class Trial {
 public:
  Trial(Backbone backbone, Plan plan, EngineOptions options);

  const Plan& plan() const { return engine_.plan(); }
  const Backbone& backbone() const { return engine_.backbone(); }
  const Schedule& schedule() const { return engine_.schedule(); }

  /// See Engine::set_recompute().
  void set_recompute(std::vector<Recompute> modules, std::vector<Recompute> nets);

  /// Bytes of parameters, buffers and optimizer state, which exist between steps.
  std::int64_t resting_bytes() const { return resting_bytes_; }

  /// Peak bytes of a step on `batch` images, not counting the batch itself.
  std::int64_t peak_bytes(std::int64_t batch, std::int64_t micro_batches = 1) const;

  /// The peak of each operation. The last entry is for the time after the last operation.
  std::vector<OperationPeak> peaks(std::int64_t batch, std::int64_t micro_batches = 1) const;

  /// Largest batch whose step needs at most so many bytes; 0 if even one image needs more.
  std::int64_t largest_batch(std::int64_t bytes) const;

  /// Seconds of a step on `batch` images: measured on at most 32 images, and no more than `bytes`
  /// suffice for, but at least 4, and scaled in proportion to the batch. Supervisions that run at
  /// random count by their share of the steps. The fastest of 3 steps counts.
  double seconds(std::int64_t batch, std::int64_t bytes);

  /// Seconds of each operation of schedule(), each from its fastest run.
  /// \param images highest number of images to measure on.
  std::vector<double> operation_seconds(std::int64_t batch, std::int64_t images = 32);

 private:
  struct Recording {
    measure::AllocationTrace trace;
    std::vector<std::size_t> ends;  ///< number of events until the end of each operation
  };

  void record();
  Recording record_step(std::int64_t images);
  void step(std::int64_t images);

  std::vector<double> probabilities_;  ///< of the supervisions of the original plan
  torch::MemoryFormat memory_format_;
  Engine engine_;
  std::int64_t resting_bytes_ = 0;
  std::int64_t gradient_bytes_ = 0;   ///< of all trained parameters
  std::vector<std::size_t> modules_;  ///< module of each operation, and for the end of the step
  Recording smaller_;
  Recording larger_;
};

}  // namespace mlaan

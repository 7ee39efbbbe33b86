// A method whose steps a benchmark measures, in one process or in several.
#pragma once

#include <mlaan/data/batch.h>
#include <mlaan/data/dataset.h>
#include <mlaan/dist/process_group.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/phases.h>

#include <cstdint>

namespace mlaan {

/// Whether this is the method that the others are compared with.
bool is_reference(const MethodSpec& spec);

/// A method that is measured, or one phase of it. In several processes all call the same functions
/// in the same order, and times and multiply-adds are those of all of them.
class Contestant {
 public:
  /// \param batch this process's share of the batch; all of it with stages.
  /// \param group null: one process measures, whatever dist.processes says.
  Contestant(TrainingPhase phase, const DataSource& data, const Batch& batch,
             const MethodSpec& spec, ProcessGroup* group);

  /// Measures peak bytes and multiply-adds.
  BenchmarkResult measure_bytes_and_work();

  /// Takes a step and waits for the device. With stages several steps follow each other, as in a
  /// training, and the time is that of one while all stages are busy. \return seconds.
  double step_seconds();

  /// What this process has sent and waited for in a timed step, on average.
  Traffic traffic_of_step() const;

  StepProfile profile(std::int64_t steps);

 private:
  void run_steps(std::int64_t count);
  /// The steps by which one stage may be ahead of another; 0 without stages.
  std::int64_t steps_ahead() const;
  /// 1; or more where supervisions are evaluated at random, so that each is likely to be evaluated,
  /// and where stages have several batches at once.
  std::int64_t steps_that_show_all() const;
  /// The sum of a number over all processes.
  std::int64_t sum_of_all(std::int64_t number) const;
  Engine make_engine(const DataSource& data, const MethodEntry& method, bool is_reference) const;

  Settings settings_;  ///< the run's settings with those of the method and the phase
  ProcessGroup* group_;
  Batch batch_;
  torch::Device device_;
  std::int64_t bytes_before_;
  Engine engine_;
  BenchmarkResult result_;
  Traffic traffic_;  ///< of all timed steps
  std::int64_t timed_steps_ = 0;
};

}  // namespace mlaan

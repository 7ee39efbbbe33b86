// Simulates the steps of a training in stages to predict their time.
#pragma once

#include <mlaan/local/stage_schedule.h>
#include <mlaan/train/layout_prediction.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlaan {

/// The work of one stage in a step.
struct StageLoad {
  StageSchedule schedule;
  std::vector<double> seconds;  ///< of computation, for each operation
  std::vector<double> bytes;    ///< of the message that each operation sends; 0 if it sends none
  /// For each operation, the bytes of gradients whose all-reduce over the replicas begins after it.
  std::vector<double> reduced_bytes;
};

struct SimulatedStage {
  double busy_seconds = 0;     ///< busy time in a step
  double waiting_seconds = 0;  ///< time in a step spent waiting for other stages
  double bytes_sent = 0;       ///< bytes sent in a step
};

struct SimulatedSteps {
  double step_seconds = 0;
  std::vector<SimulatedStage> stages;
};

/// \param delay number of steps by which twins lag. \param replicas of each stage.
SimulatedSteps simulate_stages(const std::vector<StageLoad>& loads, const NetworkSpeed& network,
                               std::int64_t delay, std::int64_t replicas);

/// A step of end-to-end training in pipeline stages by the schedule "one forward, one backward"
/// (1F1B): each stage has at most as many micro-batches under way as there are stages from it to
/// the last, and all stages update their parameters after the last backward pass.
/// \param forward, backward seconds in each stage for the whole batch.
/// \param boundary_bytes sent from each stage to the next for the whole batch.
SimulatedSteps simulate_one_forward_one_backward(const std::vector<double>& forward,
                                                 const std::vector<double>& backward,
                                                 const std::vector<double>& boundary_bytes,
                                                 std::int64_t micro_batches,
                                                 const NetworkSpeed& network);

/// Seconds, and bytes sent by each rank, of a ring all-reduce of so many bytes.
double ring_seconds(double bytes, std::int64_t ranks, const NetworkSpeed& network);
double ring_bytes(double bytes, std::int64_t ranks);

}  // namespace mlaan

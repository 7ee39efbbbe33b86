// How long the steps of a training in stages take, by a simulation of what waits for what.
#pragma once

#include <mlaan/local/stage_schedule.h>
#include <mlaan/train/layout_prediction.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlaan {

/// What the operations of one stage take.
struct StageLoad {
  StageSchedule schedule;
  std::vector<double> seconds;  ///< of each operation, of computing alone
  std::vector<double> bytes;    ///< of the message that each operation sends; else 0
  /// Of each operation, bytes of gradients that its part sums over replicas before it is updated.
  std::vector<double> reduced_bytes;
};

struct SimulatedStage {
  double busy_seconds = 0;     ///< of a step
  double waiting_seconds = 0;  ///< of a step
  double bytes_sent = 0;       ///< of a step
};

struct SimulatedSteps {
  double step_seconds = 0;
  std::vector<SimulatedStage> stages;
};

/// \param delay steps that twins follow late. \param replicas of each stage.
SimulatedSteps simulate_stages(const std::vector<StageLoad>& loads, const NetworkSpeed& network,
                               std::int64_t delay, std::int64_t replicas);

/// A step of end-to-end training in stages by the schedule "one forward, one backward": each stage
/// sends micro-batches on, has as many on their way as there are stages behind it, and all stages
/// update when the last has come back.
/// \param forward, backward seconds of a whole batch in each stage.
/// \param boundary_bytes of a whole batch between each stage and the next.
SimulatedSteps simulate_one_forward_one_backward(const std::vector<double>& forward,
                                                 const std::vector<double>& backward,
                                                 const std::vector<double>& boundary_bytes,
                                                 std::int64_t micro_batches,
                                                 const NetworkSpeed& network);

/// Seconds, and bytes sent by each rank, of a sum of so many bytes around a ring of ranks.
double ring_seconds(double bytes, std::int64_t ranks, const NetworkSpeed& network);
double ring_bytes(double bytes, std::int64_t ranks);

}  // namespace mlaan

// What steps of a training would take on more machines than there are, by simulation.
#pragma once

#include <mlaan/train/settings.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// A network between ranks, each of whose links carries one message after the other.
struct NetworkSpeed {
  double bytes_per_second = 0;
  double latency_seconds = 0;

  double seconds(double bytes) const { return latency_seconds + bytes / bytes_per_second; }
};

/// Ranks, and what is between them.
struct LayoutRequest {
  std::int64_t stages = 1;
  std::int64_t replicas = 1;
  NetworkSpeed network;
};

/// What a rank of one stage takes in a step.
struct PredictedStage {
  std::int64_t first_module = 1;  ///< from 1
  std::int64_t last_module = 1;
  double busy_seconds = 0;
  double waiting_seconds = 0;
  double bytes_sent = 0;
  std::int64_t peak_bytes = 0;
};

struct PredictedLayout {
  std::string name;         ///< "mlaan, 2 stages of 4 replicas"
  double step_seconds = 0;  ///< of the whole batch
  std::int64_t images = 0;  ///< of the whole batch
  std::vector<PredictedStage> stages;
};

/// Measures each operation of a step of the run's method on this machine, and simulates what waits
/// for what in the layout: the method in stages, the method with the batch shared out, end-to-end
/// training in stages by one forward and one backward pass in turn, and end-to-end training with
/// the batch shared out, all of them on as many ranks. The run's batch is that of a replica.
/// \throws UserError for more stages than there are modules.
std::vector<PredictedLayout> predict_layouts(
    const Settings& settings, const LayoutRequest& request,
    const std::function<void(const std::string&)>& progress);

/// "10Gbit", "800Mbit", "1.5GB": bytes a second.
/// \throws UserError for another text.
double parse_bandwidth(const std::string& text);
/// "50us", "1ms", "0.2s": seconds.
/// \throws UserError for another text.
double parse_latency(const std::string& text);

}  // namespace mlaan

// Predicts by simulation what a training step takes on more machines than are at hand.
#pragma once

#include <mlaan/train/settings.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// The network between ranks; each of its links carries one message at a time.
struct NetworkSpeed {
  double bytes_per_second = 0;
  double latency_seconds = 0;

  double seconds(double bytes) const { return latency_seconds + bytes / bytes_per_second; }
};

/// The ranks of a layout, and the network between them.
struct LayoutRequest {
  std::int64_t stages = 1;    ///< that the modules are divided into
  std::int64_t replicas = 1;  ///< ranks of each stage, each with a batch of its own
  NetworkSpeed network;
};

/// The costs of a step on a rank of one stage.
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
  double step_seconds = 0;  ///< for the whole batch
  std::int64_t images = 0;  ///< in the whole batch
  std::vector<PredictedStage> stages;
};

/// Measures each operation of a step of the run's method on this machine, and simulates the layouts
/// on as many ranks: the method in stages, the method with the batch shared out (data parallel),
/// end-to-end training in pipeline stages (one forward, one backward), and end-to-end training with
/// the batch shared out. The first result is the method on one rank. The run's batch is that of one
/// replica.
/// \throws UserError for more stages than modules, and for a method with phases.
std::vector<PredictedLayout> predict_layouts(
    const Settings& settings, const LayoutRequest& request,
    const std::function<void(const std::string&)>& progress);

/// Parses "10Gbit", "800Mbit" or "1.5GB" into bytes per second.
/// \throws UserError for another text.
double parse_bandwidth(const std::string& text);
/// Parses "50us", "1ms" or "0.2s" into seconds.
/// \throws UserError for another text.
double parse_latency(const std::string& text);

}  // namespace mlaan

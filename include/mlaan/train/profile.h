// Where the time and the bytes of a training step go, operation by operation.
#pragma once

#include <mlaan/local/engine.h>
#include <mlaan/measure/memory.h>

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// One operation of the schedule.
struct OperationProfile {
  std::string name;             ///< "forward 3", "supervise 3 by net 5", …
  std::string phase;            ///< "forward", "supervise", "recompute", "backward" or "update"
  std::int64_t module = 0;      ///< from 1; the module that it is about
  double begin_seconds = 0;     ///< from the begin of the step
  double seconds = 0;           ///< median of the steps measured
  std::int64_t live_bytes = 0;  ///< after it
  std::int64_t peak_bytes = 0;  ///< highest within it
  measure::BytesByKind peak_by_kind{};
};

/// Blocks that one operation allocated and that are alive at the step's peak.
struct AliveBlocks {
  std::string operation;  ///< "before the step" for parameters, optimizer state and the like
  std::int64_t bytes = 0;
  std::vector<std::int64_t> blocks;  ///< their sizes, the largest first; empty before the step
};

struct StepProfile {
  std::string method;
  double seconds = 0;  ///< of a whole step, each operation waited for
  std::vector<OperationProfile> operations;
  std::vector<AliveBlocks> alive_at_peak;  ///< in the order of the operations; empty on CUDA
};

/// Steps the engine a few times and measures each operation, waiting for the device after it.
/// \param bytes_before taken off all bytes: what was live before the engine was made.
StepProfile profile_step(Engine& engine, const torch::Tensor& images, const torch::Tensor& labels,
                         std::int64_t steps, std::int64_t bytes_before);

}  // namespace mlaan

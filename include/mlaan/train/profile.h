// Profiles of training steps: time and bytes by operation.
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
  std::int64_t module = 0;      ///< that the operation works on, from 1
  double begin_seconds = 0;     ///< since the beginning of the step
  double seconds = 0;           ///< median over the measured steps
  std::int64_t live_bytes = 0;  ///< after the operation
  std::int64_t peak_bytes = 0;  ///< highest during the operation
  measure::BytesByKind peak_by_kind{};
};

/// Memory blocks that one operation allocated and that are alive at the step's peak.
struct AliveBlocks {
  std::string operation;  ///< "before the step" for parameters, optimizer state and the like
  std::int64_t bytes = 0;
  std::vector<std::int64_t> blocks;  ///< their sizes, largest first; empty for "before the step"
};

struct StepProfile {
  std::string method;
  double seconds = 0;  ///< of a whole step, with a device synchronisation after each operation
  std::vector<OperationProfile> operations;
  std::vector<AliveBlocks> alive_at_peak;  ///< in the order of the operations; empty on CUDA
};

/// Runs a few steps of the engine and measures each operation, with a device synchronisation after
/// it.
/// \param steps number of measured steps.
/// \param bytes_before subtracted from all bytes: those alive before the engine was made.
StepProfile profile_step(Engine& engine, const torch::Tensor& images, const torch::Tensor& labels,
                         std::int64_t steps, std::int64_t bytes_before);

}  // namespace mlaan

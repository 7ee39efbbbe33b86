// Chooses what a plan recomputes, so that a step needs few bytes and little extra time.
#pragma once

#include <mlaan/local/trial.h>

#include <cstdint>

namespace mlaan {

/// Increases recomputation where a training step has its memory peak, until the peak on `batch`
/// images, in `micro_batches` micro-batches, is at most `bytes` or, with `bytes` = 0, cannot be
/// lowered any further; then removes the recomputation that the peak does not need. Modules of the
/// same shape are treated alike, and so are nets, since a network has many modules of few kinds.
/// Only bytes decide, not measured times, so the result is reproducible. The trial's plan holds the
/// result.
/// \return the peak in bytes, which is above `bytes` if recomputation alone cannot reach it.
std::int64_t reduce_peak(Trial& trial, std::int64_t batch, std::int64_t bytes = 0,
                         std::int64_t micro_batches = 1);

}  // namespace mlaan

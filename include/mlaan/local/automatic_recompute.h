// Finds what of a plan to recompute so that a step takes few bytes and little extra time.
#pragma once

#include <mlaan/local/trial.h>

#include <cstdint>

namespace mlaan {

/// Raises what is recomputed, step by step, where a step's peak is, until the peak on `batch`
/// images, in so many micro-batches, is at most `bytes`, or, with 0, until nothing lowers it any
/// more; then takes back whatever the peak does not need. Modules of the same shape are treated
/// alike, and so are the nets behind them: a network has many modules and few kinds of them. Only
/// bytes decide, so the result is the same every time. Afterwards the trial's plan holds the
/// result. \return the peak reached, which may be above `bytes` where recomputation alone cannot do
/// it.
std::int64_t reduce_peak(Trial& trial, std::int64_t batch, std::int64_t bytes = 0,
                         std::int64_t micro_batches = 1);

}  // namespace mlaan

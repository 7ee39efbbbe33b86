// Processes a batch on all threads, a few samples at a time.
#pragma once

#include <cstdint>
#include <functional>

namespace mlaan {

/// Calls `body(worker, first sample, samples)` on LibTorch's CPU threads until every sample was in
/// one call; `worker` is below at::get_num_threads(). `body` must not allocate memory, since
/// allocations are counted in an order that has to be the same in every run.
/// \param at_once samples per call, at most.
void for_samples_in_parallel(
    std::int64_t samples, std::int64_t at_once,
    const std::function<void(std::int64_t worker, std::int64_t first, std::int64_t samples)>& body);

}  // namespace mlaan

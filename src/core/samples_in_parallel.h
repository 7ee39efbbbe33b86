// A batch worked on by all threads, a few samples at a time.
#pragma once

#include <cstdint>
#include <functional>

namespace mlaan {

/// Calls `body(worker, first sample, samples)` until every sample was in one call, by LibTorch's
/// threads on the CPU; `worker` is below at::get_num_threads(). Within, nothing is to be allocated,
/// since bytes are counted in one order, the same in every run.
/// \param at_once samples of a call, at most.
void for_samples_in_parallel(
    std::int64_t samples, std::int64_t at_once,
    const std::function<void(std::int64_t worker, std::int64_t first, std::int64_t samples)>& body);

}  // namespace mlaan

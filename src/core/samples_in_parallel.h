// A batch worked on by all threads, a few samples at a time.
#pragma once

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <algorithm>
#include <cstdint>

namespace mlaan {

/// Calls `body(worker, first sample, samples)` until every sample was in one call, by LibTorch's
/// threads on the CPU. Within, nothing is to be allocated there, since bytes are counted in one
/// order, the same in every run.
/// \param at_once samples of a call, at most.
template <class Body>
void for_samples_in_parallel(std::int64_t samples, std::int64_t at_once, const Body& body) {
  const at::ThreadLocalState state;
  at::parallel_for(0, samples, at_once, [&](std::int64_t begin, std::int64_t end) {
    const at::ThreadLocalStateGuard same_state(state);
    for (std::int64_t first = begin; first < end; first += at_once) {
      body(at::get_thread_num(), first, std::min(at_once, end - first));
    }
  });
}

}  // namespace mlaan

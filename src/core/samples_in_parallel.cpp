// Processes a batch on all threads, a few samples at a time.
#include "core/samples_in_parallel.h"

#include <ATen/Parallel.h>
#include <ATen/ThreadLocalState.h>

#include <algorithm>

namespace mlaan {

void for_samples_in_parallel(std::int64_t samples, std::int64_t at_once,
                             const std::function<void(std::int64_t worker, std::int64_t first,
                                                      std::int64_t samples)>& body) {
  const at::ThreadLocalState state;
  at::parallel_for(0, samples, at_once, [&](std::int64_t begin, std::int64_t end) {
    const at::ThreadLocalStateGuard same_state(state);
    for (std::int64_t first = begin; first < end; first += at_once) {
      body(at::get_thread_num(), first, std::min(at_once, end - first));
    }
  });
}

}  // namespace mlaan

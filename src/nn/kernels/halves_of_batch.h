// Processes a batch in two halves.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mlaan {

/// Calls `body(first sample, samples)` for one half of the batch, then for the other, so that
/// temporary tensors are small. The samples of a half are contiguous, so that a half is as fast to
/// process as the whole, which the same rows of all samples would not be. With two parts, but not
/// with more, trials on two and on four images allocate as a large batch does.
template <class Body>
void for_halves(std::int64_t batch, const Body& body) {
  const std::int64_t half = (batch + 1) / 2;
  for (std::int64_t first = 0; first < batch; first += half) {
    body(first, std::min(half, batch - first));
  }
}

}  // namespace mlaan

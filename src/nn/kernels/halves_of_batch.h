// A batch worked on by halves.
#pragma once

#include <algorithm>
#include <cstdint>

namespace mlaan {

/// Calls `body(first sample, samples)` for one half of the batch, then for the other, so that what
/// is made for a half is small. Samples lie one behind the other in memory, so that a half is as
/// quick to go through as the whole, where the same rows of all samples are not; and a trial on two
/// and on four images, unlike one of more parts, allocates what a large batch does.
template <class Body>
void for_halves(std::int64_t batch, const Body& body) {
  const std::int64_t half = (batch + 1) / 2;
  for (std::int64_t first = 0; first < batch; first += half) {
    body(first, std::min(half, batch - first));
  }
}

}  // namespace mlaan

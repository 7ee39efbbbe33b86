// How maps lie in memory, and a batch of them worked on by halves.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <cstdint>

namespace mlaan {

/// Whether channels lie side by side in memory, in a layout that is not the contiguous one too.
inline bool has_channels_last(const torch::Tensor& maps) {
  return maps.dim() == 4 && maps.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
         !maps.is_contiguous();
}

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

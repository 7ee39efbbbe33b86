// How maps lie in memory, and how many parts of them to work on at a time.
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

/// Into how many parts to cut the rows of maps, so that what is made for a part is small. Their
/// number is the same for every batch, so that a trial on few images allocates what a large batch
/// does.
/// \param fewest_elements of a sample that are worth a part.
inline std::int64_t part_count(const torch::Tensor& maps, std::int64_t fewest_elements) {
  constexpr std::int64_t most_parts = 8;
  if (maps.dim() < 3 || maps.numel() == 0) return 1;
  return std::clamp<std::int64_t>(maps.numel() / maps.size(0) / fewest_elements, 1, most_parts);
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

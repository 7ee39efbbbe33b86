// Maps whose channels lie side by side in memory.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// Whether channels lie side by side in memory, in a layout that is not the contiguous one too.
inline bool has_channels_last(const torch::Tensor& maps) {
  return maps.dim() == 4 && maps.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
         !maps.is_contiguous();
}

/// A gradient that is the same all over a map is a broadcast of a number for each channel.
/// LibTorch's operators go through it beside maps with channels last, which it is a gradient of,
/// one position's channels at a time, and element by element where those do not fill a processor's
/// vector: 16 channels in bfloat16 take fifty times as long as 32. There one row of each map is put
/// in memory, for the operators to go through that.
inline torch::Tensor with_rows_in_memory(torch::Tensor maps) {
  constexpr std::int64_t vector_bytes = 64;  // of AVX-512; others have shorter ones
  const bool is_broadcast = maps.defined() && maps.is_cpu() && maps.dim() == 4 &&
                            maps.stride(2) == 0 && maps.stride(3) == 0;
  if (!is_broadcast || maps.numel() == 0 ||
      maps.size(1) * static_cast<std::int64_t>(maps.element_size()) >= vector_bytes) {
    return maps;
  }
  const torch::Tensor row = maps.narrow(2, 0, 1).permute({0, 2, 3, 1}).contiguous();
  return row.permute({0, 3, 1, 2}).expand(maps.sizes());
}

}  // namespace mlaan

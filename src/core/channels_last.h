// Maps in the channels-last memory format.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// Whether maps are in the channels-last format, and not contiguous as well.
inline bool has_channels_last(const torch::Tensor& maps) {
  return maps.dim() == 4 && maps.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
         !maps.is_contiguous();
}

/// Makes a broadcast gradient faster to process. The gradient of global average pooling is one
/// number per channel, broadcast over the map. Beside channels-last maps, LibTorch's operators
/// process it one position's channels at a time, and element by element if the channels do not fill
/// a vector register: 16 channels in bfloat16 take fifty times as long as 32. For so few channels,
/// one row of each map is materialised, which operators process as a whole.
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

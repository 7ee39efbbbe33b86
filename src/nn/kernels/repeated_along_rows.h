// Maps whose positions are repeated along the rows.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// Repeats each position along its row. A pooling's gradient is repeated as often as a square has
/// columns, and then broadcast to the square's rows, which reads and writes whole rows of the maps.
/// With a broadcast along both sides, LibTorch would process one position's channels at a time, and
/// take twice as long for few channels.
/// \param maps in the channels-last format, as is the result.
torch::Tensor repeated_along_rows(const torch::Tensor& maps, std::int64_t times);

}  // namespace mlaan

// A convolution of a map that is brought to another size first.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// Positions of a map.
struct MapSize {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// What the convolution gives for the map interpolated bilinearly to that size, corners aligned.
///
/// Both steps are linear, and interpolation treats every channel alike, so they may change places:
/// the channels are mixed at the map's own size, once for each position of the kernel, and the
/// results are then interpolated and summed along one side after the other, by products with small
/// matrices. From 64×8×8 to 12×32×32 by a 3×3 kernel that takes a seventh of the multiply-adds, and
/// the interpolated map, larger than all else here, never exists. Where it takes more than half of
/// them, since such products are slower, or under autocast, which decides about types, the two
/// steps are done as they are.
///
/// \param input (batch, C, h, w)
/// \param convolution neither grouped nor dilated, padded by zeros.
/// \returns (batch, C', h', w'), laid out in memory as the input is.
torch::Tensor upsampled_convolution(const torch::Tensor& input, MapSize size,
                                    torch::nn::Conv2d& convolution);

}  // namespace mlaan

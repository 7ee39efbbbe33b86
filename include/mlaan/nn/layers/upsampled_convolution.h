// A convolution of a map that is interpolated to another size first.
#pragma once

#include <torch/nn/modules/conv.h>
#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// Size of a map, in positions.
struct MapSize {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

/// The convolution of the map interpolated bilinearly to that size, corners aligned.
///
/// Both steps are linear, and interpolation treats all channels alike, so their order can be
/// exchanged: the kernel mixes the channels at the map's own size, once for each position of the
/// kernel, and the results are then interpolated and summed along one side after the other, by
/// products with small matrices. From 64×8×8 to 12×32×32 by a 3×3 kernel this takes a seventh of
/// the multiply-adds, and the interpolated map, the largest tensor here, is never computed. Such
/// products are slower than a convolution. So the two steps run in their given order if the
/// exchange would take more than half of the multiply-adds, and under autocast, which chooses types
/// by itself.
///
/// \param input (batch, C, h, w)
/// \param convolution neither grouped nor dilated, padded with zeros.
/// \return (batch, C', h', w'), in the input's memory format.
torch::Tensor upsampled_convolution(const torch::Tensor& input, MapSize size,
                                    torch::nn::Conv2d& convolution);

}  // namespace mlaan

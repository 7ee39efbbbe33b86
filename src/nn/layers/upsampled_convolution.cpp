// A convolution of a map that is first interpolated to another size.
#include "core/autocast_scope.h"
#include "nn/kernels/convolution_of_upsampled.h"
#include "nn/kernels/strided_pointwise_convolution.h"

#include <mlaan/nn/layers/upsampled_convolution.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/Functions.h>

namespace mlaan {

torch::Tensor upsampled_convolution(const torch::Tensor& input, MapSize size,
                                    torch::nn::Conv2d& convolution) {
  if (ReferenceKernelsScope::active() || !is_faster_mixed_first(input, size, *convolution) ||
      AutocastState::of(input.device().type()).enabled) {
    return convolve(*convolution, at::upsample_bilinear2d(input, {size.rows, size.columns},
                                                          /*align_corners=*/true));
  }
  return convolve_mixed_first(input, size, *convolution);
}

}  // namespace mlaan

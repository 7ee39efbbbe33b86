// Average pooling over squares that do not overlap.
#include "core/channels_last.h"
#include "nn/kernels/halves_of_batch.h"
#include "nn/kernels/repeated_along_rows.h"

#include <mlaan/nn/layers/average_pool.h>

#include <ATen/Functions.h>

namespace mlaan {
torch::Tensor AveragePoolImpl::forward(const torch::Tensor& input) {
  torch::Tensor output = at::avg_pool2d(input, {rows_, columns_}, {rows_, columns_});
  if (output.requires_grad()) {
    output.register_hook([format = input.suggest_memory_format()](const torch::Tensor& gradient) {
      return gradient.contiguous(format);
    });
  }
  return output;
}

torch::Tensor AveragePoolImpl::shares(const torch::Tensor& gradient, double factor) const {
  return gradient * (factor / static_cast<double>(rows_ * columns_));
}

void AveragePoolImpl::send_back(const torch::Tensor& shares, const Put& put) const {
  const auto squares_down = shares.size(2);
  const auto height = squares_down * rows_;
  const auto width = shares.size(3) * columns_;
  const auto reached = [&](const torch::Tensor& maps) {
    return maps.narrow(2, 0, height).slice(3, 0, width).unflatten(2, {squares_down, rows_});
  };
  if (shares.is_cpu() && has_channels_last(shares)) {
    for_halves(shares.size(0), [&](std::int64_t first, std::int64_t samples) {
      const auto half = [&](const torch::Tensor& maps) { return maps.narrow(0, first, samples); };
      put(repeated_along_rows(half(shares), columns_).unsqueeze(3),
          [&](const torch::Tensor& maps) { return reached(half(maps)); });
    });
  } else {
    // All positions of a square at once: they are close to each other in memory.
    put(shares.unsqueeze(3).unsqueeze(5), [&](const torch::Tensor& maps) {
      return reached(maps).unflatten(4, {shares.size(3), columns_});
    });
  }
  // Positions that no square covers.
  const torch::Tensor nothing = at::zeros({}, shares.options());
  put(nothing, [&](const torch::Tensor& maps) { return maps.slice(2, height); });
  put(nothing, [&](const torch::Tensor& maps) { return maps.slice(2, 0, height).slice(3, width); });
}

}  // namespace mlaan

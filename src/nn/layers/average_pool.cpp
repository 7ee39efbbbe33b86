// Average pooling over squares that do not overlap.
#include "core/channels_last.h"
#include "core/samples_in_parallel.h"
#include "nn/kernels/halves_of_batch.h"

#include <mlaan/nn/layers/average_pool.h>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

namespace mlaan {
namespace {

/// Repeats each position as often as a square has columns. The result is then broadcast to the
/// square's rows, which reads and writes whole rows of the maps. With a broadcast along both sides,
/// LibTorch would process one position's channels at a time, and take twice as long for few
/// channels.
/// \param maps in the channels-last format, as is the result.
torch::Tensor repeated_along_rows(const torch::Tensor& maps, std::int64_t times) {
  const torch::Tensor positions = maps.permute({0, 2, 3, 1});
  torch::Tensor result =
      at::empty({maps.size(0), maps.size(2), maps.size(3) * times, maps.size(1)}, maps.options());
  const torch::Tensor side_by_side =
      result.view({-1, maps.size(2), maps.size(3), times * maps.size(1)});
  // LibTorch's operator is single-threaded; here each thread gets a share of the samples.
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t samples_at_once =
      std::max((maps.size(0) + threads - 1) / threads,
               at::internal::GRAIN_SIZE * maps.size(0) / result.numel());
  const auto repeat = [&](auto /*worker*/, std::int64_t first, std::int64_t samples) {
    const std::vector<torch::Tensor> copies(static_cast<std::size_t>(times),
                                            positions.narrow(0, first, samples));
    torch::Tensor part = side_by_side.narrow(0, first, samples);
    at::cat_out(part, copies, 3);
  };
  for_samples_in_parallel(maps.size(0), samples_at_once, repeat);
  return result.permute({0, 3, 1, 2});
}

}  // namespace

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

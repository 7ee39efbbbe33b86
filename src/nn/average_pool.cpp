// Average pooling over squares that do not overlap.
#include "nn/map_parts.h"

#include <mlaan/nn/average_pool.h>

#include <ATen/Functions.h>

#include <algorithm>
#include <vector>

namespace mlaan {
namespace {

/// Each position as often as a square has columns, side by side. What is then broadcast to the
/// square's rows reads and writes whole rows of the maps; broadcast along both sides, LibTorch
/// would go through one position's channels at a time, and take twice as long where they are few.
/// \param maps with channels last in memory, as the result has.
torch::Tensor repeated_along_rows(const torch::Tensor& maps, std::int64_t times) {
  const std::vector<torch::Tensor> copies(static_cast<std::size_t>(times),
                                          maps.permute({0, 2, 3, 1}));
  return at::stack(copies, 3).flatten(2, 3).permute({0, 3, 1, 2});
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

void AveragePoolImpl::send_back(const torch::Tensor& gradient, const Put& put) const {
  const auto squares_down = gradient.size(2);
  const auto height = squares_down * rows_;
  const auto width = gradient.size(3) * columns_;
  const bool side_by_side = gradient.is_cpu() && has_channels_last(gradient);
  // What is repeated stays in a processor's cache.
  constexpr std::int64_t fewest_elements = 1024;
  const std::int64_t parts = side_by_side ? part_count(gradient, fewest_elements) : 1;
  const std::int64_t step = (squares_down + parts - 1) / parts;
  for (std::int64_t begin = 0; begin < squares_down; begin += step) {
    const std::int64_t count = std::min(step, squares_down - begin);
    const torch::Tensor share = gradient.narrow(2, begin, count) / (rows_ * columns_);
    const auto rows_of = [&](const torch::Tensor& maps) {
      return maps.narrow(2, begin * rows_, count * rows_)
          .slice(3, 0, width)
          .unflatten(2, {count, rows_});
    };
    if (side_by_side) {
      put(repeated_along_rows(share, columns_).unsqueeze(3), rows_of);
    } else {
      // All positions of a square at once: they lie near each other in memory.
      put(share.unsqueeze(3).unsqueeze(5), [&](const torch::Tensor& maps) {
        return rows_of(maps).unflatten(4, {gradient.size(3), columns_});
      });
    }
  }
  // What the squares did not reach.
  const torch::Tensor nothing = at::zeros({}, gradient.options());
  put(nothing, [&](const torch::Tensor& maps) { return maps.slice(2, height); });
  put(nothing, [&](const torch::Tensor& maps) { return maps.slice(2, 0, height).slice(3, width); });
}

}  // namespace mlaan

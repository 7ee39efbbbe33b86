// The backward pass of a ReLU, in place or not.
#include "nn/kernels/relu_backward.h"

#include <ATen/Functions.h>

#include <algorithm>

namespace mlaan {
namespace {

/// Number of parts to cut the rows of maps into, so that the copy of a part in the gradient's dtype
/// is small. The number is the same for every batch size, so that a trial on few images allocates
/// as a large batch does.
std::int64_t part_count(const torch::Tensor& maps) {
  constexpr std::int64_t fewest_elements = 2048;  // per sample: fewer are not worth a call
  constexpr std::int64_t most_parts = 8;
  if (maps.dim() < 3 || maps.numel() == 0) return 1;
  return std::clamp<std::int64_t>(maps.numel() / maps.size(0) / fewest_elements, 1, most_parts);
}

}  // namespace

torch::Tensor relu_backward(const torch::Tensor& gradient, const torch::Tensor& output,
                            bool in_place) {
  if (in_place) {
    relu_backward_to(gradient, gradient, output);
    return gradient;
  }
  return at::threshold_backward(gradient, output, 0);
}

void relu_backward_to(torch::Tensor destination, const torch::Tensor& gradient,
                      const torch::Tensor& output) {
  at::threshold_backward_out(destination, gradient.expand_as(output), output, 0);
}

torch::Tensor open_where_positive(const torch::Tensor& output) {
  // LibTorch compares element by element, but converts several elements at a time.
  return output.to(at::kBool);
}

torch::Tensor relu_backward_where_open(const torch::Tensor& gradient, const torch::Tensor& open,
                                       bool in_place) {
  if (!gradient.is_cpu()) {
    if (in_place) return gradient.masked_fill_(open.logical_not(), 0);
    return at::where(open, gradient, at::zeros({}, gradient.options()));
  }
  // LibTorch's mask operators process one element at a time, with a branch or a copy for each, and
  // take five times as long as a ReLU's backward pass, which therefore runs here, a part at a time.
  torch::Tensor result =
      in_place ? gradient : at::empty_like(open, gradient.options(), open.suggest_memory_format());
  const torch::Tensor bytes = open.view(torch::kByte);
  const std::int64_t rows = open.dim() > 2 ? open.dim() - 2 : 0;
  const std::int64_t parts = part_count(open);
  const std::int64_t step = (open.size(rows) + parts - 1) / parts;
  for (std::int64_t begin = 0; begin < open.size(rows); begin += step) {
    const std::int64_t count = std::min(step, open.size(rows) - begin);
    relu_backward_to(result.narrow(rows, begin, count), gradient.narrow(rows, begin, count),
                     bytes.narrow(rows, begin, count).to(gradient.scalar_type()));
  }
  return result;
}

}  // namespace mlaan

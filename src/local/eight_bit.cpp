// Tensors quantised row by row to 8 bits an element (Dettmers et al. 2022, arXiv:2110.02861).
#include "local/eight_bit.h"

#include <ATen/Functions.h>

#include <cstddef>
#include <vector>

namespace mlaan {
namespace {

constexpr std::int64_t least_elements = 4096;
constexpr std::int64_t least_of_row = 16;

/// Views one scale per row so that it broadcasts over rows of a tensor of so many dimensions.
torch::Tensor for_each_row(const torch::Tensor& scales, std::int64_t dimensions) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions), 1);
  shape[0] = scales.size(0);
  return scales.view(shape);
}

std::int64_t row_count(const torch::Tensor& tensor) {
  for (std::int64_t d = 0; d + 1 < tensor.dim(); ++d) {
    if (tensor.size(d) > 1) return tensor.size(d);
  }
  return 1;
}

}  // namespace

bool is_worth_eight_bits(const torch::Tensor& tensor) {
  return tensor.scalar_type() == torch::kFloat32 && tensor.numel() >= least_elements &&
         tensor.dim() > 1 && tensor.numel() / row_count(tensor) >= least_of_row;
}

torch::Tensor rows_of(torch::Tensor tensor) {
  while (tensor.dim() > 2 && tensor.size(0) == 1) tensor = tensor.select(0, 0);
  return tensor;
}

EightBitTensor eight_bit_zeros(const torch::Tensor& like) {
  const auto options = like.options().requires_grad(false);
  // With a scale of 0, every code stands for 0.
  return {at::zeros_like(like, options.dtype(torch::kUInt8)),
          at::zeros({rows_of(like).size(0)}, options)};
}

torch::Tensor read_rows(const EightBitTensor& tensor, std::int64_t first, std::int64_t count,
                        Sign sign) {
  const torch::Tensor codes = rows_of(tensor.codes).narrow(0, first, count);
  return entries_at(codes, sign)
      .mul_(for_each_row(tensor.scales.narrow(0, first, count), codes.dim()));
}

void write_rows(const torch::Tensor& values, const EightBitTensor& tensor, std::int64_t first,
                Sign sign) {
  torch::Tensor scales = tensor.scales.narrow(0, first, values.size(0));
  scales.copy_(values.abs().flatten(1).amax(1));
  // A row of zeros has the scale 0; it is divided by 1 instead.
  const torch::Tensor divisors = at::where(scales == 0, at::ones_like(scales), scales);
  const torch::Tensor shares = values / for_each_row(divisors, values.dim());
  rows_of(tensor.codes).narrow(0, first, values.size(0)).copy_(nearest_codes(shares, sign));
}

}  // namespace mlaan

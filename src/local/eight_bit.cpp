// Tensors in eight bits an element, row by row (Dettmers et al. 2022, arXiv:2110.02861).
#include "local/eight_bit.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace mlaan {
namespace {

constexpr std::int64_t least_elements = 4096;
constexpr std::int64_t least_of_row = 16;

/// The table, ascending: decade by decade the middles of equal parts of 0.1 … 1, in each decade
/// twice as many as in the one below, and 0 and 1 themselves.
std::vector<float> table_of(Sign sign) {
  constexpr int decades = 7;
  std::vector<float> table{0, 1};
  for (int decade = 0; decade < decades; ++decade) {
    const int parts = sign == Sign::either ? 1 << decade : 2 << decade;
    for (int part = 0; part < parts; ++part) {
      const double middle = 0.1 + 0.9 * (part + 0.5) / parts;
      const auto share = static_cast<float>(middle * std::pow(10, decade - decades + 1));
      table.push_back(share);
      if (sign == Sign::either) table.push_back(-share);
    }
  }
  std::sort(table.begin(), table.end());
  return table;
}

/// Half-way between neighbours of the table.
std::vector<float> bounds_of(const std::vector<float>& table) {
  std::vector<float> bounds;
  for (std::size_t i = 0; i + 1 < table.size(); ++i)
    bounds.push_back((table[i] + table[i + 1]) / 2);
  return bounds;
}

const std::vector<float>& shares_of(Sign sign) {
  static const std::vector<float> signed_table = table_of(Sign::either);
  static const std::vector<float> unsigned_table = table_of(Sign::not_negative);
  return sign == Sign::either ? signed_table : unsigned_table;
}

const std::vector<float>& bounds_between(Sign sign) {
  static const std::vector<float> signed_bounds = bounds_of(shares_of(Sign::either));
  static const std::vector<float> unsigned_bounds = bounds_of(shares_of(Sign::not_negative));
  return sign == Sign::either ? signed_bounds : unsigned_bounds;
}

/// One number a row, to be multiplied with rows.
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

torch::Tensor on_device(const std::vector<float>& values, torch::Device device) {
  return torch::tensor(values, torch::kFloat32).to(device);
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
  // By scales of 0 every code stands for 0.
  return {at::zeros_like(like, options.dtype(torch::kUInt8)),
          at::zeros({rows_of(like).size(0)}, options)};
}

torch::Tensor read_rows(const EightBitTensor& tensor, std::int64_t first, std::int64_t count,
                        Sign sign) {
  const torch::Tensor codes = rows_of(tensor.codes).narrow(0, first, count);
  const torch::Tensor shares = on_device(shares_of(sign), codes.device());
  return shares.index_select(0, codes.flatten().to(torch::kInt32))
      .view(codes.sizes())
      .mul_(for_each_row(tensor.scales.narrow(0, first, count), codes.dim()));
}

void write_rows(const torch::Tensor& values, const EightBitTensor& tensor, std::int64_t first,
                Sign sign) {
  torch::Tensor scales = tensor.scales.narrow(0, first, values.size(0));
  scales.copy_(values.abs().flatten(1).amax(1));
  // A row of zeros is divided by 1.
  const torch::Tensor divisors = at::where(scales == 0, at::ones_like(scales), scales);
  const torch::Tensor shares = (values / for_each_row(divisors, values.dim())).contiguous();
  torch::Tensor codes = at::bucketize(shares, on_device(bounds_between(sign), shares.device()),
                                      /*out_int32=*/true);
  // A root of 0 would make the next step of an element as long as epsilon allows.
  if (sign == Sign::not_negative) codes = at::maximum(codes, (shares > 0).to(torch::kInt32));
  rows_of(tensor.codes).narrow(0, first, values.size(0)).copy_(codes);
}

}  // namespace mlaan

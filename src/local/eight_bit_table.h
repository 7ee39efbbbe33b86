// The 256 values of an 8-bit code (Dettmers et al. 2022, arXiv:2110.02861).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// Whether values have either sign or are never negative, for which the table is finer.
enum class Sign : std::uint8_t { either, not_negative };

/// Fractions of a row's largest magnitude, ascending up to 1: 0, and seven decades, each with twice
/// as many entries as the one below (the paper's dynamic tree).
const std::vector<float>& eight_bit_table(Sign sign);

/// The index of the table entry nearest to each share, of two equally near ones the lower, as uint8
/// of the same shape, contiguous. With Sign::not_negative, no share above 0 becomes 0.
/// \param shares float32.
torch::Tensor nearest_codes(const torch::Tensor& shares, Sign sign);

/// The table entries at these indices, as float32 of the same shape, contiguous.
/// \param codes uint8.
torch::Tensor entries_at(const torch::Tensor& codes, Sign sign);

/// nearest_codes() and entries_at() by LibTorch operators, for any device. On the CPU these are
/// many times slower, so the functions above call them for other devices only.
torch::Tensor nearest_codes_by_operators(const torch::Tensor& shares, Sign sign);
torch::Tensor entries_by_operators(const torch::Tensor& codes, Sign sign);

}  // namespace mlaan

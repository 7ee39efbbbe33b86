// The 256 numbers that eight bits stand for (Dettmers et al. 2022, arXiv:2110.02861).
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// Whether numbers have either sign, or are none below 0, for which the table is finer.
enum class Sign : std::uint8_t { either, not_negative };

/// Shares of a largest magnitude, ascending up to 1: seven decades, in each of which there are
/// twice as many as in the one below (the paper's dynamic tree), and 0.
const std::vector<float>& eight_bit_table(Sign sign);

/// For each share the place of the nearest entry, of two as near the lower one, as uint8 of the
/// same shape, contiguous. Where numbers are not negative, what is above 0 does not become 0.
/// \param shares float32.
torch::Tensor nearest_codes(const torch::Tensor& shares, Sign sign);

/// The entries at these places, as float32 of the same shape, contiguous.
/// \param codes uint8.
torch::Tensor entries_at(const torch::Tensor& codes, Sign sign);

/// nearest_codes() and entries_at() by LibTorch's operators, which run on any device; the others
/// take these off the CPU alone, where they are many times slower.
torch::Tensor nearest_codes_by_operators(const torch::Tensor& shares, Sign sign);
torch::Tensor entries_by_operators(const torch::Tensor& codes, Sign sign);

}  // namespace mlaan

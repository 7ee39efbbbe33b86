// Tensors in eight bits an element, row by row (Dettmers et al. 2022, arXiv:2110.02861).
#pragma once

#include "local/eight_bit_table.h"

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// A float32 tensor of at least two dimensions, rounded. A row is what one index of the first
/// dimension that is longer than 1 selects - the weights of one output, so that rows are the same
/// in any memory format. Each has a scale, its largest magnitude, and of each element a code: the
/// place of the nearest entry in a table of shares of the scale.
struct EightBitTensor {
  torch::Tensor codes;   ///< uint8, of the tensor's shape and memory format
  torch::Tensor scales;  ///< float32, one a row
};

/// Whether the bytes of this tensor are worth it: float32, 4096 elements, 16 a row.
bool is_worth_eight_bits(const torch::Tensor& tensor);

/// A tensor with its rows along the first dimension; it shares the memory.
torch::Tensor rows_of(torch::Tensor tensor);

/// As many zeros as the tensor has elements.
EightBitTensor eight_bit_zeros(const torch::Tensor& like);

/// Rows `first` … `first + count − 1` of the tensor, as float32.
torch::Tensor read_rows(const EightBitTensor& tensor, std::int64_t first, std::int64_t count,
                        Sign sign);

/// Rounds values into these rows. What is above 0 stays so where values are not negative.
void write_rows(const torch::Tensor& values, const EightBitTensor& tensor, std::int64_t first,
                Sign sign);

}  // namespace mlaan

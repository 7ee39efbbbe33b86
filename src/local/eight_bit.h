// Tensors quantised row by row to 8 bits an element (Dettmers et al. 2022, arXiv:2110.02861).
#pragma once

#include "local/eight_bit_table.h"

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// A quantised float32 tensor of at least two dimensions. A row is the slice at one index of the
/// first dimension that is longer than 1 (the weights of one output), so that rows are the same in
/// any memory format. Each row has a scale, its largest magnitude; each element has a code, the
/// index of the nearest entry of eight_bit_table(), which holds fractions of the scale.
struct EightBitTensor {
  torch::Tensor codes;   ///< uint8, of the tensor's shape and memory format
  torch::Tensor scales;  ///< float32, one per row
};

/// Whether quantising the tensor pays: float32, two dimensions, 4096 elements, 16 per row or more.
bool is_worth_eight_bits(const torch::Tensor& tensor);

/// A view of the tensor whose first dimension is the rows.
torch::Tensor rows_of(torch::Tensor tensor);

/// A quantised tensor of zeros in the shape of `like`.
EightBitTensor eight_bit_zeros(const torch::Tensor& like);

/// Dequantises rows `first` … `first + count − 1` to float32.
torch::Tensor read_rows(const EightBitTensor& tensor, std::int64_t first, std::int64_t count,
                        Sign sign);

/// Quantises values into these rows. With Sign::not_negative, no value above 0 becomes 0.
void write_rows(const torch::Tensor& values, const EightBitTensor& tensor, std::int64_t first,
                Sign sign);

}  // namespace mlaan

// Copies a picture's pixels to other positions and maps their values by a lookup table.
#pragma once

#include <torch/types.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <vector>

namespace mlaan {

/// \param step between two output values; common steps are constants, for which the loop is fast.
template <class Value>
void write_line(const std::uint8_t* line, std::int64_t count, const std::array<Value, 256>& values,
                Value* to, std::int64_t step) {
  if (step == 1) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = values[line[i]];
  } else if (step == 3) {
    for (std::int64_t i = 0; i < count; ++i) to[3 * i] = values[line[i]];
  } else {
    for (std::int64_t i = 0; i < count; ++i) to[step * i] = values[line[i]];
  }
}

/// \param image uint8, channels × height × width, of any strides.
/// \param rows,columns source row and column of each of the target's; −1 for padding.
/// \param target Values, channels × rows × columns, of any strides.
/// \param table of a channel: the output for each pixel value; padding is mapped like the value 0.
template <class Value, class Table>
void copy_pixels(const torch::Tensor& image, const std::vector<std::int64_t>& rows,
                 const std::vector<std::int64_t>& columns, const torch::Tensor& target,
                 const Table& table) {
  const auto* from = image.data_ptr<std::uint8_t>();
  auto* to = target.data_ptr<Value>();
  const std::int64_t width = image.size(2);
  const std::int64_t step = image.stride(2);
  const auto count = static_cast<std::int64_t>(columns.size());
  std::vector<std::int64_t> in_order(static_cast<std::size_t>(width));
  std::iota(in_order.begin(), in_order.end(), std::int64_t{0});
  const bool as_it_is = step == 1 && columns == in_order;
  std::vector<std::uint8_t> gathered(static_cast<std::size_t>(count));
  for (std::int64_t c = 0; c < image.size(0); ++c) {
    const std::array<Value, 256>& values = table(c);
    for (std::size_t y = 0; y < rows.size(); ++y) {
      const std::int64_t row = rows[y];
      const auto* line =
          from + c * image.stride(0) + std::max<std::int64_t>(0, row) * image.stride(1);
      if (row < 0) {
        std::fill(gathered.begin(), gathered.end(), std::uint8_t{0});
      } else if (!as_it_is) {
        for (std::size_t i = 0; i < gathered.size(); ++i) {
          const std::int64_t column = columns[i];
          gathered[i] = column < 0 ? std::uint8_t{0} : line[column * step];
        }
      }
      write_line(row >= 0 && as_it_is ? line : gathered.data(), count, values,
                 to + c * target.stride(0) + static_cast<std::int64_t>(y) * target.stride(1),
                 target.stride(2));
    }
  }
}

}  // namespace mlaan

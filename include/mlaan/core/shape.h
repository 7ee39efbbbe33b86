// Sizes of a tensor for one sample.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// Sizes of a tensor without its first dimension, the batch.
using Shape = std::vector<std::int64_t>;

/// "16×32×32".
std::string to_string(const Shape& shape);

}  // namespace mlaan

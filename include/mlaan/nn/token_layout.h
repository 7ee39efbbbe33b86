// The grid of image patches that a sequence of tokens represents.
#pragma once

#include <cstdint>

namespace mlaan {

/// A sequence of tokens: `prefix` tokens that are no patches, then a grid of patches, row by row.
struct TokenLayout {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t prefix = 0;        ///< number of class, distillation and register tokens
  bool class_token = prefix > 0;  ///< whether the first token is a class token

  /// Number of tokens, the prefix included.
  std::int64_t count() const { return prefix + rows * columns; }
};

}  // namespace mlaan

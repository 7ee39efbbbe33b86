// The grid of image patches that a sequence of tokens represents.
#pragma once

#include <cstdint>

namespace mlaan {

/// A sequence of tokens: a class token if `class_token` is set, then a grid of patches, row by row.
struct TokenLayout {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool class_token = false;

  /// Number of tokens, the class token included.
  std::int64_t count() const { return rows * columns + (class_token ? 1 : 0); }
};

}  // namespace mlaan

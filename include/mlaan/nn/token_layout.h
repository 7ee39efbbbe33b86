// Where the tokens of a sequence come from on the picture.
#pragma once

#include <cstdint>

namespace mlaan {

/// A sequence of tokens: a grid of patches, row by row, and maybe a class token ahead of them.
struct TokenLayout {
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  bool class_token = false;

  std::int64_t count() const { return rows * columns + (class_token ? 1 : 0); }
};

}  // namespace mlaan

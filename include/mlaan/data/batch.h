// A batch of images and labels, as the network reads it.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

struct Batch {
  torch::Tensor images;  ///< float32, batch × channels × height × width
  /// Class numbers, int64, batch; or, if pictures are mixed, probabilities, float32, batch ×
  /// classes.
  torch::Tensor labels;
  torch::Tensor indices{};  ///< int64, batch: the samples' numbers in the data set
  /// Number of samples of the whole batch, if this is one process's share of it; 0: this is all of
  /// it.
  std::int64_t whole_size = 0;
};

}  // namespace mlaan

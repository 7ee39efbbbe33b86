// A batch as the network takes it.
#pragma once

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

struct Batch {
  torch::Tensor images;  ///< float32, batch × channels × height × width
  /// int64, batch; or float32, batch × classes, probabilities: what mixed pictures are of.
  torch::Tensor labels;
  torch::Tensor indices{};  ///< int64, batch: the samples' numbers in the data set
  /// Samples of the whole batch, where this is a process's share of it; 0: no more than these.
  std::int64_t whole_size = 0;
};

}  // namespace mlaan

// A batch as the network takes it.
#pragma once

#include <torch/types.h>

namespace mlaan {

struct Batch {
  torch::Tensor images;  ///< float32, batch × channels × height × width
  /// int64, batch; or float32, batch × classes, probabilities: what mixed pictures are of.
  torch::Tensor labels;
  torch::Tensor indices{};  ///< int64, batch: the samples' numbers in the data set
};

}  // namespace mlaan

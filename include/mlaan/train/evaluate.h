// How well a network does on labelled images.
#pragma once

#include <mlaan/data/loader.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>

namespace mlaan {

struct Score {
  double loss = 0;   ///< mean cross-entropy; NaN without images
  double error = 0;  ///< per cent whose class is not the first choice; NaN without images
  std::int64_t images = 0;
  double seconds = 0;
};

/// Logits of a batch, in evaluation mode.
using Predictor = std::function<torch::Tensor(const torch::Tensor& images)>;

/// Runs every batch of the loader's epoch 0 through the network.
Score evaluate(const Predictor& predict, Loader& loader);

}  // namespace mlaan

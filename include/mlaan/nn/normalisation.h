// How the pixels of images are normalised.
#pragma once

#include <vector>

namespace mlaan {

/// (pixel / 255 − mean) / deviation, for each channel. Empty vectors: unknown.
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> deviation;
};

}  // namespace mlaan

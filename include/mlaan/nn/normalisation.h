// How pixels are brought to the range that networks like.
#pragma once

#include <vector>

namespace mlaan {

/// (pixel / 255 − mean) / deviation, for each channel. Empty: not known.
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> deviation;
};

}  // namespace mlaan

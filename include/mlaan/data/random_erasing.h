// Random erasing (Zhong et al. 2020, arXiv:1708.04896): a rectangle of the picture is overwritten.
#pragma once

#include <mlaan/core/random.h>

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// What is written over it.
enum class Erasure : std::uint8_t {
  zero,  ///< the mean colour, for pictures are normalised
  noise  ///< standard normal numbers
};

/// Erases in a share of the pictures, with the areas and proportions of torchvision's
/// RandomErasing.
struct RandomErasing {
  double probability = 0;
  Erasure erasure = Erasure::zero;
  double smallest_area = 0.02;  ///< as a share of the picture's
  double largest_area = 0.33;
  double lowest_ratio = 0.3;  ///< height to width
  double highest_ratio = 3.3;

  /// \param picture normalised float32, channels × height × width, of any strides; written to.
  void apply(const torch::Tensor& picture, RandomStream& random) const;
};

}  // namespace mlaan

// Random erasing (Zhong et al. 2020, arXiv:1708.04896): overwrites a rectangle of the picture.
#pragma once

#include <mlaan/core/random.h>

#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// The values that the rectangle is filled with.
enum class Erasure : std::uint8_t {
  zero,  ///< the mean colour, because pictures are normalised
  noise  ///< standard normal numbers
};

/// Erases a rectangle in a share of the pictures, with the areas and aspect ratios of torchvision's
/// RandomErasing.
struct RandomErasing {
  double probability = 0;  ///< share of the pictures that are changed; 0: off
  Erasure erasure = Erasure::zero;
  double smallest_area = 0.02;  ///< as a share of the picture's area
  double largest_area = 0.33;
  double lowest_ratio = 0.3;  ///< height / width
  double highest_ratio = 3.3;

  /// \param picture normalised float32, channels × height × width, with any strides; changed in
  ///         place.
  void apply(const torch::Tensor& picture, RandomStream& random) const;
};

}  // namespace mlaan

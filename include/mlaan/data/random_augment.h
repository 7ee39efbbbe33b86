// RandAugment (Cubuk et al. 2020, arXiv:1909.13719): random operations of one magnitude.
#pragma once

#include <mlaan/core/random.h>

#include <torch/types.h>

#include <array>
#include <cstdint>

namespace mlaan {

/// The operations that RandAugment draws from: torchvision's list.
enum class PictureOperation : std::uint8_t {
  identity,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  rotate,
  brightness,
  colour,
  contrast,
  sharpness,
  posterize,
  solarize,
  autocontrast,
  equalize
};

constexpr std::array<PictureOperation, 14> picture_operations{
    PictureOperation::identity,     PictureOperation::shear_x,     PictureOperation::shear_y,
    PictureOperation::translate_x,  PictureOperation::translate_y, PictureOperation::rotate,
    PictureOperation::brightness,   PictureOperation::colour,      PictureOperation::contrast,
    PictureOperation::sharpness,    PictureOperation::posterize,   PictureOperation::solarize,
    PictureOperation::autocontrast, PictureOperation::equalize};

/// The highest magnitude.
constexpr std::int64_t highest_magnitude = 30;

/// Converts a magnitude to an operation's own unit: a slope, pixels, degrees, an offset from a
/// factor of 1, bits, or a threshold; 0 for operations without a magnitude.
/// \param magnitude from 0 to highest_magnitude.
/// \param height,width of the picture.
double operation_strength(PictureOperation operation, std::int64_t magnitude, std::int64_t height,
                          std::int64_t width);

/// Whether RandAugment negates the strength with probability 1/2.
bool is_signed(PictureOperation operation);

/// \param image uint8, 1 or 3 channels × height × width.
/// \param strength in the unit of operation_strength().
torch::Tensor apply(PictureOperation operation, const torch::Tensor& image, double strength);

struct RandomAugment {
  std::int64_t operations = 0;  ///< N: how many are applied in turn, each drawn from all; 0: off
  std::int64_t magnitude = 9;   ///< M: from 0 to highest_magnitude

  /// \param image uint8, 1 or 3 channels × height × width.
  torch::Tensor apply(torch::Tensor image, RandomStream& random) const;
};

}  // namespace mlaan

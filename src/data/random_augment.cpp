// RandAugment (Cubuk et al. 2020, arXiv:1909.13719): random operations of one magnitude.
#include <mlaan/data/adjust.h>
#include <mlaan/data/random_augment.h>
#include <mlaan/data/warp.h>

#include <cmath>

namespace mlaan {

double operation_strength(PictureOperation operation, std::int64_t magnitude, std::int64_t height,
                          std::int64_t width) {
  const double share = static_cast<double>(magnitude) / highest_magnitude;
  // The largest shift is 150 pixels for a picture of 331, and in proportion for other sizes.
  const auto of_side = [share](std::int64_t side) {
    return share * 150.0 / 331.0 * static_cast<double>(side);
  };
  switch (operation) {
    case PictureOperation::shear_x:
    case PictureOperation::shear_y:
      return 0.3 * share;
    case PictureOperation::translate_x:
      return of_side(width);
    case PictureOperation::translate_y:
      return of_side(height);
    case PictureOperation::rotate:
      return 30 * share;
    case PictureOperation::brightness:
    case PictureOperation::colour:
    case PictureOperation::contrast:
    case PictureOperation::sharpness:
      return 0.9 * share;
    case PictureOperation::posterize:
      return 8 - std::nearbyint(4 * share);
    case PictureOperation::solarize:
      return 255 * (1 - share);
    case PictureOperation::identity:
    case PictureOperation::autocontrast:
    case PictureOperation::equalize:
      break;
  }
  return 0;
}

bool is_signed(PictureOperation operation) {
  switch (operation) {
    case PictureOperation::posterize:
    case PictureOperation::solarize:
    case PictureOperation::identity:
    case PictureOperation::autocontrast:
    case PictureOperation::equalize:
      return false;
    default:
      return true;
  }
}

torch::Tensor apply(PictureOperation operation, const torch::Tensor& image, double strength) {
  switch (operation) {
    case PictureOperation::shear_x:
      return shear_x(image, strength);
    case PictureOperation::shear_y:
      return shear_y(image, strength);
    case PictureOperation::translate_x:
      return translate(image, static_cast<std::int64_t>(strength), 0);
    case PictureOperation::translate_y:
      return translate(image, 0, static_cast<std::int64_t>(strength));
    case PictureOperation::rotate:
      return rotate(image, strength);
    case PictureOperation::brightness:
      return adjust_brightness(image, 1 + strength);
    case PictureOperation::colour:
      return adjust_saturation(image, 1 + strength);
    case PictureOperation::contrast:
      return adjust_contrast(image, 1 + strength);
    case PictureOperation::sharpness:
      return adjust_sharpness(image, 1 + strength);
    case PictureOperation::posterize:
      return posterize(image, static_cast<std::int64_t>(strength));
    case PictureOperation::solarize:
      return solarize(image, strength);
    case PictureOperation::autocontrast:
      return autocontrast(image);
    case PictureOperation::equalize:
      return equalize(image);
    case PictureOperation::identity:
      break;
  }
  return image;
}

torch::Tensor RandomAugment::apply(torch::Tensor image, RandomStream& random) const {
  for (std::int64_t i = 0; i < operations; ++i) {
    const auto operation = picture_operations.at(random.below(picture_operations.size()));
    const bool inverted = random.below(2) == 1;
    double strength = operation_strength(operation, magnitude, image.size(1), image.size(2));
    if (inverted && is_signed(operation)) strength = -strength;
    image = mlaan::apply(operation, image, strength);
  }
  return image;
}

}  // namespace mlaan

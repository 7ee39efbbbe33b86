// From a uint8 image to the network's input: augmentation and normalisation.
#pragma once

#include <mlaan/data/colour_jitter.h>
#include <mlaan/data/dataset.h>
#include <mlaan/data/random_augment.h>
#include <mlaan/data/random_erasing.h>

#include <array>
#include <cstdint>
#include <vector>

namespace mlaan {

/// Changes to the pixels of training pictures, applied in this order after cropping and flipping.
struct PixelRecipe {
  ColourJitter jitter;
  RandomAugment random_augment;
  RandomErasing erasing;  ///< after normalisation
};

/// Chooses the region of the picture to read; then pads, crops at a random place, flips at random,
/// changes pixels by a recipe, and normalises. All randomness is a pure function of the key, so it
/// does not depend on which thread works, or when.
class Transform {
 public:
  /// Only normalises.
  explicit Transform(const Normalisation& normalisation);
  /// \param framing of the pictures, applied before the crop.
  Transform(const Normalisation& normalisation, const CropRecipe& crop, const Framing& framing = {},
            const PixelRecipe& pixels = {});

  /// The frame to read of a picture: the argument of Dataset::get_framed().
  FrameChooser frame(std::uint64_t key) const;

  /// \param image uint8, channels × height × width.
  /// \param target float32 with the same sizes and any strides, such as a slice of a batch; written
  ///         to.
  /// \param key of the random stream, for example random_key({seed, epoch, index}).
  void apply(const torch::Tensor& image, const torch::Tensor& target, std::uint64_t key) const;

  /// The source row and column of each row and column of the result; −1: padding.
  struct Sources {
    std::vector<std::int64_t> rows;
    std::vector<std::int64_t> columns;
  };

 private:
  torch::Tensor change_pixels(const torch::Tensor& image, const Sources& from,
                              std::uint64_t key) const;

  CropRecipe crop_;
  Framing framing_;
  PixelRecipe pixels_;
  /// The normalised value of each pixel value, for each channel.
  std::vector<std::array<float, 256>> table_;
};

}  // namespace mlaan

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

/// What is done to the pixels of training pictures, in this order, after cropping and flipping.
struct PixelRecipe {
  ColourJitter jitter;
  RandomAugment random_augment;
  RandomErasing erasing;  ///< after normalisation
};

/// Chooses the part of the picture to read; then pads, crops at a random place, flips at random,
/// changes pixels by a recipe, and normalises. What is random is a pure function of the key, so it
/// does not depend on which thread works, or when.
class Transform {
 public:
  /// Normalisation alone.
  explicit Transform(const Normalisation& normalisation);
  /// \param framing of the pictures, before the crop.
  Transform(const Normalisation& normalisation, const CropRecipe& crop, const Framing& framing = {},
            const PixelRecipe& pixels = {});

  /// What to read of a picture: the argument of Dataset::get_framed().
  FrameChooser frame(std::uint64_t key) const;

  /// \param image uint8, channels × height × width.
  /// \param target float32 of the same sizes, of any strides: a slice of a batch.
  /// \param key of the random stream, for example random_key({seed, epoch, index}).
  void apply(const torch::Tensor& image, const torch::Tensor& target, std::uint64_t key) const;

  /// The rows and columns that a picture's are taken from; −1 for padding.
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
  /// Normalised value of each pixel value, for each channel.
  std::vector<std::array<float, 256>> table_;
};

}  // namespace mlaan

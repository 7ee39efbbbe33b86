// What a trained network makes of pictures.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/train/network_description.h>

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// A class that a picture may be of.
struct Guess {
  std::string name;
  double probability = 0;  ///< softmax of the network's logits
};

/// The likeliest classes of each picture of a batch, the likeliest first.
/// \param logits batch × classes.
/// \param names of the classes.
/// \param count of classes to give; fewer where there are no more.
std::vector<std::vector<Guess>> likeliest(const torch::Tensor& logits,
                                          const std::vector<std::string>& names,
                                          std::int64_t count);

/// A picture file as a trained network takes it: the middle of it, brought to the size of
/// the images that it was trained on, grey where these were, and normalised.
/// \return float32, channels × height × width.
/// \throws DamagedPicture for a file that is no picture.
/// \throws UserError for a network that says too little of its images.
torch::Tensor read_network_input(const std::string& file, const NetworkDescription& info);

}  // namespace mlaan

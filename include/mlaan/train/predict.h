// The classes that a trained network predicts for pictures.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/train/network_description.h>

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// A class that a picture may belong to.
struct Guess {
  std::string name;
  double probability = 0;  ///< softmax of the network's logits
};

/// The most probable classes of each picture of a batch, in descending order.
/// \param logits batch × classes.
/// \param names of the classes.
/// \param count number of classes to return, limited to the number of classes.
std::vector<std::vector<Guess>> likeliest(const torch::Tensor& logits,
                                          const std::vector<std::string>& names,
                                          std::int64_t count);

/// Reads a picture file as input of a trained network: the centre of the picture, resized to the
/// size of the network's images, converted to grey if these are, and normalised.
/// \return float32, channels × height × width.
/// \throws DamagedPicture for a file that is not a picture.
/// \throws UserError for a network that does not record its normalisation, or has no 1 or 3
///         channels.
torch::Tensor read_network_input(const std::string& file, const NetworkDescription& info);

}  // namespace mlaan

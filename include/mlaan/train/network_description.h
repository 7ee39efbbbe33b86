// What one has to know of a network to show it pictures and to understand its answers.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/normalisation.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

struct NetworkDescription {
  std::string model;  ///< name of the backbone
  std::int64_t classes = 0;
  Shape image_shape;
  std::vector<std::string> class_names;
  /// Of the pictures; empty in checkpoints that were written before it was kept.
  Normalisation normalisation;
  /// Of a picture's middle that the network was tested on; see centre_frame().
  double framing_share = 1;
};

}  // namespace mlaan

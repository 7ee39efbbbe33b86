// What is needed to feed pictures to a network and to interpret its outputs.
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
  Shape image_shape;  ///< channels, height, width
  std::vector<std::string> class_names;
  /// Of the inputs; empty in checkpoints that do not record it yet.
  Normalisation normalisation;
  /// Share of a picture's centre that the network was tested on; see centre_frame().
  double framing_share = 1;
};

}  // namespace mlaan

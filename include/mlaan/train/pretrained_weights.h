// Loads pretrained weights from a safetensors file with the parameters' names, as in torchvision.
#pragma once

#include <mlaan/nn/backbone.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// What happens to the backbone's head.
enum class PretrainedHead : std::uint8_t {
  load,  ///< loads the file's head
  fresh  ///< keeps its initial weights, for other classes; ignores the file's head
};

/// Copies a file's tensors into the backbone's parameters and buffers of the same names. Counters
/// of batches (`num_batches_tracked`) may be missing. Of a checkpoint of mlaan, only the network's
/// tensors are read.
/// \param classes names of the classes that the head predicts; empty: not checked.
/// \throws UserError, before anything is copied, for a checkpoint's head with other classes or
///         another order, and naming tensors that are missing, unknown or of another shape.
void load_pretrained(const std::filesystem::path& path, const Backbone& backbone,
                     PretrainedHead head = PretrainedHead::load,
                     const std::vector<std::string>& classes = {});

}  // namespace mlaan

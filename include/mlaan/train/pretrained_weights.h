// Weights from elsewhere: a safetensors file with the parameters' own names, as torchvision has
// them.
#pragma once

#include <mlaan/nn/backbone.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// What becomes of the backbone's head.
enum class PretrainedHead : std::uint8_t {
  load,  ///< the file's
  fresh  ///< stays as it was initialised, for classes of one's own; the file's is left out
};

/// Copies a file's tensors into the backbone's parameters and buffers of the same names. Counters
/// of batches (`num_batches_tracked`) may be missing. From a checkpoint of mlaan come the network's
/// alone.
/// \param classes that the head is to tell apart, where they have names.
/// \throws UserError for a checkpoint's head of other classes, or in another order; and naming what
/// is missing, what nothing in the network is called like, or what
///         has another shape; nothing has been copied then.
void load_pretrained(const std::filesystem::path& path, const Backbone& backbone,
                     PretrainedHead head = PretrainedHead::load,
                     const std::vector<std::string>& classes = {});

}  // namespace mlaan

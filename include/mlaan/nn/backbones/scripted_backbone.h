// Backbones from TorchScript files.
#pragma once

#include <mlaan/nn/backbone.h>

#include <string>

namespace mlaan {

/// Whether a model's name is the path of a TorchScript file, that is, ends with ".pt".
bool is_script_file(const std::string& model);

/// Loads a network that torch.jit.script() or torch.jit.trace() made, and cuts it into units as
/// Backbone::from() does. The network must be a Sequential, or a module whose forward pass runs its
/// children one after the other; a child that is a Sequential is replaced by its own children.
/// Children keep their weights and names. LibTorch's script optimisations are disabled, so that
/// results are reproducible.
/// \param input_shape of one sample.
/// \throws UserError if the file does not exist, if the network is not such a chain, and if it
///         cannot read samples of that shape.
Backbone scripted_backbone(const std::string& file, const Shape& input_shape);

}  // namespace mlaan

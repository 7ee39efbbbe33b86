// Backbones from TorchScript files.
#pragma once

#include <mlaan/nn/backbone.h>

#include <string>

namespace mlaan {

/// Whether a model's name is that of a TorchScript file: it ends with ".pt".
bool is_script_file(const std::string& model);

/// Reads a network that torch.jit.script() or torch.jit.trace() made and `save` wrote, and cuts it
/// as Backbone::from() does. It must be a Sequential, or a module whose forward pass is its
/// children one after the other; a child that is a Sequential counts as its own children. Children
/// keep their weights and names. LibTorch's optimisations of scripts are off, so that the same
/// numbers come out every time.
/// \param input_shape of one sample.
/// \throws UserError where there is no such file, where the module is none of that, and where it
///         cannot read samples of that shape.
Backbone scripted_backbone(const std::string& file, const Shape& input_shape);

}  // namespace mlaan

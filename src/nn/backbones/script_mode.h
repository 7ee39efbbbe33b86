// Checks that a TorchScript network follows train() and eval().
#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/types.h>

#include <string>

namespace mlaan {

/// \param sample an input of the network.
/// \throws UserError, naming the file and a remedy, for a network whose batch normalisation or
/// dropout does not follow train() and eval(), such as a traced one, and for a network whose output
/// differs each time that it is evaluated.
void check_follows_mode(const torch::jit::Module& script, const torch::Tensor& sample,
                        const std::string& file);

}  // namespace mlaan

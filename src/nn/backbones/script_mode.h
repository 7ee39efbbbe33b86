// Whether a TorchScript network trains and evaluates as it is told to.
#pragma once

#include <torch/csrc/jit/api/module.h>
#include <torch/types.h>

#include <string>

namespace mlaan {

/// \param sample that the network reads.
/// \throws UserError, naming the file and how to do better, for a network whose batch normalisation
///         or dropout does not follow train() and eval(), as that of a traced one; and for one that
///         gives other numbers each time when it is evaluated.
void check_follows_mode(const torch::jit::Module& script, const torch::Tensor& sample,
                        const std::string& file);

}  // namespace mlaan

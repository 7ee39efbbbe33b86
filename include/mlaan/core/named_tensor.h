// Tensors with the names that checkpoints and logs use for them.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

struct NamedTensor {
  std::string name;
  torch::Tensor tensor;
};

std::vector<torch::Tensor> tensors_of(const std::vector<NamedTensor>& named);

/// The parameters with `requires_grad` set.
std::vector<NamedTensor> trainable(const std::vector<NamedTensor>& parameters);

/// Number of elements of all the tensors together.
std::int64_t element_count(const std::vector<NamedTensor>& tensors);
/// Number of bytes of all the tensors together.
std::int64_t byte_count(const std::vector<NamedTensor>& tensors);

/// Clears `requires_grad` of the parameters.
void freeze(const std::vector<NamedTensor>& parameters);

}  // namespace mlaan

// Tensors with their names in checkpoints and logs.
#include <mlaan/core/named_tensor.h>

namespace mlaan {

std::vector<torch::Tensor> tensors_of(const std::vector<NamedTensor>& named) {
  std::vector<torch::Tensor> tensors;
  tensors.reserve(named.size());
  for (const auto& item : named) tensors.push_back(item.tensor);
  return tensors;
}

std::vector<NamedTensor> trainable(const std::vector<NamedTensor>& parameters) {
  std::vector<NamedTensor> selected;
  for (const auto& named : parameters) {
    if (named.tensor.requires_grad()) selected.push_back(named);
  }
  return selected;
}

std::int64_t element_count(const std::vector<NamedTensor>& tensors) {
  std::int64_t count = 0;
  for (const auto& named : tensors) count += named.tensor.numel();
  return count;
}

std::int64_t byte_count(const std::vector<NamedTensor>& tensors) {
  std::int64_t bytes = 0;
  for (const auto& named : tensors) bytes += static_cast<std::int64_t>(named.tensor.nbytes());
  return bytes;
}

void freeze(const std::vector<NamedTensor>& parameters) {
  for (const auto& named : parameters) named.tensor.set_requires_grad(false);
}

}  // namespace mlaan

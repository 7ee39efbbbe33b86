// Puts buffers (running statistics and the like) back as they were.
#pragma once

#include <torch/types.h>

#include <vector>

namespace mlaan {

/// Puts buffers back, at the end of its scope, to what they held at its start. It writes past the
/// version check of autograd, which would otherwise take the running statistics that a batch
/// normalisation has seen for inputs that were changed.
class BufferGuard {
 public:
  explicit BufferGuard(const std::vector<torch::Tensor>& buffers) : buffers_(buffers) {
    kept_.reserve(buffers_.size());
    for (const auto& buffer : buffers_) kept_.push_back(buffer.clone());
  }
  ~BufferGuard() {
    for (std::size_t i = 0; i < kept_.size(); ++i) buffers_[i].variable_data().copy_(kept_[i]);
  }
  BufferGuard(const BufferGuard&) = delete;
  BufferGuard& operator=(const BufferGuard&) = delete;

 private:
  const std::vector<torch::Tensor>& buffers_;
  std::vector<torch::Tensor> kept_;
};

}  // namespace mlaan

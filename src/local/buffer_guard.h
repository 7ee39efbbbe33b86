// An RAII guard that restores buffers, such as running statistics.
#pragma once

#include <torch/types.h>

#include <vector>

namespace mlaan {

/// Restores buffers at the end of its scope to their values at its start. The copy bypasses
/// autograd's version counter, which would otherwise report the running statistics that a batch
/// normalisation has read as inputs modified in place.
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

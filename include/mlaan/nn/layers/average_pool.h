// Average pooling over squares that do not overlap.
#pragma once

#include <mlaan/nn/linear_map.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/pimpl.h>
#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// (batch, C, h, w) → (batch, C, h / rows, w / columns), rounded down. The backward pass converts
/// the gradient to the input's memory format first: if the formats differ, LibTorch's own backward
/// pass converts maps as large as the input, twice.
class AveragePoolImpl : public torch::nn::Cloneable<AveragePoolImpl>, public LinearMap {
 public:
  AveragePoolImpl(std::int64_t rows, std::int64_t columns) : rows_(rows), columns_(columns) {}
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& input);
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const override;
  void send_back(const torch::Tensor& shares, const Put& put) const override;

 private:
  std::int64_t rows_;
  std::int64_t columns_;
};
TORCH_MODULE(AveragePool);

}  // namespace mlaan

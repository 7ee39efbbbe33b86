// Multi-head self-attention (Vaswani et al. 2017, arXiv:1706.03762, section 3.2).
#pragma once

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/linear.h>
#include <torch/types.h>

#include <cstdint>

namespace mlaan {

/// softmax(Q·Kᵀ/√d)·V of every head, d being the width of a head. The attention weights, tokens ×
/// tokens for each head and image, are recomputed in the backward pass instead of saved.
/// \param projected (batch, tokens, 3·width): queries, keys and values, each with its heads side by
///        side.
/// \param heads number of heads; it must divide the width.
/// \return (batch, tokens, width)
torch::Tensor multi_head_attention(const torch::Tensor& projected, std::int64_t heads);

/// Self-attention between an input and an output projection, with the parameters of
/// torch.nn.MultiheadAttention: `in_proj_weight` (3·width × width), `in_proj_bias`, `out_proj`.
/// (batch, tokens, width) → (batch, tokens, width)
class SelfAttentionImpl : public torch::nn::Cloneable<SelfAttentionImpl> {
 public:
  /// \throws UserError if `heads` does not divide `width`.
  SelfAttentionImpl(std::int64_t width, std::int64_t heads);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& input);
  /// Attention and output projection, without the input projection.
  /// \param projected (batch, tokens, 3·width)
  torch::Tensor attend(const torch::Tensor& projected);

  std::int64_t heads() const { return heads_; }
  std::int64_t head_width() const { return width_ / heads_; }
  /// To be called with the new width by code that resizes the parameters.
  void set_width(std::int64_t width) { width_ = width; }

  torch::Tensor in_proj_weight;
  torch::Tensor in_proj_bias;
  torch::nn::Linear out_proj{nullptr};

 private:
  std::int64_t width_;
  std::int64_t heads_;
};
TORCH_MODULE(SelfAttention);

}  // namespace mlaan

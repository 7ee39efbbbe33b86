// Vision transformers (Dosovitskiy et al. 2021, arXiv:2010.11929).
#pragma once

#include <mlaan/core/options.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/layers/drop_path.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/self_attention.h>
#include <mlaan/nn/recomputes_activations.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// Embeds each patch of an image as a token, by the convolution `conv_proj`, and prepends
/// `class_token` if the network has one. (batch, C, h, w) → (batch, tokens, width)
class PatchEmbeddingImpl : public torch::nn::Cloneable<PatchEmbeddingImpl> {
 public:
  PatchEmbeddingImpl(std::int64_t in_channels, std::int64_t width, std::int64_t patch,
                     bool class_token);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& images);

 private:
  std::int64_t in_channels_;
  std::int64_t width_;
  std::int64_t patch_;
  bool has_class_token_;
  torch::nn::Conv2d conv_proj_{nullptr};
  torch::Tensor class_token_;
};
TORCH_MODULE(PatchEmbedding);

/// Adds a learned vector to each token: `pos_embedding`.
class PositionEmbeddingImpl : public torch::nn::Cloneable<PositionEmbeddingImpl> {
 public:
  PositionEmbeddingImpl(std::int64_t tokens, std::int64_t width);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& tokens);

 private:
  std::int64_t tokens_;
  std::int64_t width_;
  torch::Tensor pos_embedding_;
};
TORCH_MODULE(PositionEmbedding);

/// Linear layer `0`, GELU, linear layer `3`; the names are torchvision's.
class FeedForwardImpl : public torch::nn::Cloneable<FeedForwardImpl> {
 public:
  FeedForwardImpl(std::int64_t width, std::int64_t hidden);
  void reset() override;
  /// \param normalisation that runs before the first layer.
  /// \param recomputes see norm_linear().
  torch::Tensor forward(torch::nn::LayerNorm& normalisation, const torch::Tensor& tokens,
                        bool recomputes);

 private:
  std::int64_t width_;
  std::int64_t hidden_;
  torch::nn::Linear first_{nullptr};
  torch::nn::Linear second_{nullptr};
};
TORCH_MODULE(FeedForward);

/// An encoder block, x + attention(norm(x)), then y + MLP(norm(y)): `ln_1`, `self_attention`,
/// `ln_2`, `mlp`. (batch, tokens, width) → (batch, tokens, width)
class EncoderBlockImpl : public torch::nn::Cloneable<EncoderBlockImpl>,
                         public RecomputesActivations,
                         public FreshBlock,
                         public DropsPath {
 public:
  EncoderBlockImpl(std::int64_t width, std::int64_t heads, std::int64_t hidden);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& tokens);
  /// \throws UserError for a width other than the block's own, or a stride other than 1.
  torch::nn::AnyModule make_fresh(std::int64_t width, std::int64_t stride) const override;

 private:
  /// tokens + branch, with drop_path(branch) in training.
  torch::Tensor add(const torch::Tensor& tokens, const torch::Tensor& branch) const;

  std::int64_t width_;
  std::int64_t heads_;
  std::int64_t hidden_;
  torch::nn::LayerNorm ln_1_{nullptr};
  SelfAttention self_attention_{nullptr};
  torch::nn::LayerNorm ln_2_{nullptr};
  FeedForward mlp_{nullptr};
};
TORCH_MODULE(EncoderBlock);

/// Layer normalisation with the ε of vision transformers.
torch::nn::LayerNorm token_norm(std::int64_t width);

/// Default number of attention heads for this width: each head is as wide as the largest of 64, 32,
/// 16, … that divides the width.
std::int64_t usual_heads(std::int64_t width);

/// A freshly initialised block whose hidden layer is four times as wide.
EncoderBlock encoder_block(std::int64_t width, std::int64_t heads);

/// Options of a vision transformer.
struct VitOptions {
  static constexpr const char* section = "";
  /// Side of a patch in pixels; 0: that of usual_patch().
  std::int64_t patch = 0;
  /// "class": the head reads a class token; "mean": there is no class token, and the head reads the
  /// mean of all tokens.
  std::string pool = "class";
  std::int64_t depth = 12;  ///< number of encoder blocks, from 1 to 1000

  void describe(FieldList& fields);
};

/// Default side of a patch for images of this shape: 16, halved while a side would have fewer than
/// 7 patches or the patch does not divide it: 4 for 32×32, 8 for 64×64 and 96×96, 16 for 224×224.
std::int64_t usual_patch(const Shape& input_shape);

/// A vision transformer with torchvision's names: units `embedding` (`conv_proj`, `class_token`,
/// `encoder.pos_embedding`) and `encoder.layers.encoder_layer_0` …, a head of `encoder.ln` and
/// `heads.head`. Initial weights are torchvision's.
/// \param width of a token; attention heads are 64 wide (see usual_heads()), hidden layers four
///        times the width.
/// \throws UserError if the patch's side does not divide the images' sides.
Backbone vision_transformer(const std::string& name, std::int64_t width, std::int64_t classes,
                            const Shape& input_shape, const VitOptions& options = {});

/// Entries: vit_tiny (192 wide), vit_small (384), vit_base (768).
std::vector<BackboneEntry> vision_transformer_entries();

}  // namespace mlaan

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

/// Patches of the picture as tokens, a class token ahead of them where there is one: `conv_proj`,
/// `class_token`. (batch, C, h, w) → (batch, tokens, width)
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

/// Linear layer, GELU, linear layer: `0` and `3`, as torchvision counts them.
class FeedForwardImpl : public torch::nn::Cloneable<FeedForwardImpl> {
 public:
  FeedForwardImpl(std::int64_t width, std::int64_t hidden);
  void reset() override;
  /// \param normalisation ahead of the first layer.
  /// \param recomputes as of norm_linear().
  torch::Tensor forward(torch::nn::LayerNorm& normalisation, const torch::Tensor& tokens,
                        bool recomputes);

 private:
  std::int64_t width_;
  std::int64_t hidden_;
  torch::nn::Linear first_{nullptr};
  torch::nn::Linear second_{nullptr};
};
TORCH_MODULE(FeedForward);

/// A block of an encoder: x + attention(norm(x)), then y + MLP(norm(y)): `ln_1`, `self_attention`,
/// `ln_2`, `mlp`. (batch, tokens, width) → (batch, tokens, width)
class EncoderBlockImpl : public torch::nn::Cloneable<EncoderBlockImpl>,
                         public RecomputesActivations,
                         public FreshBlock,
                         public DropsPath {
 public:
  EncoderBlockImpl(std::int64_t width, std::int64_t heads, std::int64_t hidden);
  void reset() override;
  torch::Tensor forward(const torch::Tensor& tokens);
  /// \throws UserError for another width than the block's own, which it keeps.
  torch::nn::AnyModule make_fresh(std::int64_t width, std::int64_t stride) const override;

 private:
  /// tokens + branch, or what drop_path() leaves of that.
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

/// Heads of a transformer block of this width: as many as are 64 wide, or 32, 16, …, the widest
/// that divides it.
std::int64_t usual_heads(std::int64_t width);

/// A freshly initialised block whose hidden layer is four times as wide.
EncoderBlock encoder_block(std::int64_t width, std::int64_t heads);

/// What a vision transformer may differ in.
struct VitOptions {
  static constexpr const char* section = "";
  /// Side of a patch; 0: the usual one for the pictures (see usual_patch()).
  std::int64_t patch = 0;
  /// "class": the head reads a class token; "mean": there is none, and it reads the mean of all.
  std::string pool = "class";
  std::int64_t depth = 12;

  void describe(FieldList& fields);
};

/// Side of a patch for pictures of this shape: 16, halved while a side would have fewer than 7
/// patches or the patch does not divide it: 4 for 32×32, 8 for 64×64 and 96×96, 16 for 224×224.
std::int64_t usual_patch(const Shape& input_shape);

/// A vision transformer of torchvision's names: units `embedding` (`conv_proj`, `class_token`,
/// `encoder.pos_embedding`) and `encoder.layers.encoder_layer_0` …, a head of `encoder.ln` and
/// `heads.head`. Weights start as torchvision's.
/// \param width of a token, of which a head has 64; hidden layers are four times as wide.
/// \throws UserError where the patch does not divide the pictures.
Backbone vision_transformer(const std::string& name, std::int64_t width, std::int64_t classes,
                            const Shape& input_shape, const VitOptions& options = {});

/// vit_tiny (192 wide), vit_small (384), vit_base (768).
std::vector<BackboneEntry> vision_transformer_entries();

}  // namespace mlaan

// Vision transformers (Dosovitskiy et al. 2021, arXiv:2010.11929).
#include <mlaan/nn/backbones/vision_transformer.h>
#include <mlaan/nn/fork.h>
#include <mlaan/nn/layers/recomputed_linear.h>
#include <mlaan/nn/layers/tokens.h>

#include <torch/nn/init.h>

#include <cmath>
#include <utility>

namespace mlaan {
namespace {

constexpr double vit_norm_epsilon = 1e-6;
constexpr std::int64_t usual_head_width = 64;
constexpr std::int64_t largest_patch = 16;
constexpr std::int64_t fewest_patches = 7;
constexpr std::int64_t vit_hidden_factor = 4;

torch::nn::Linear hidden_linear(std::int64_t in, std::int64_t out) {
  torch::nn::Linear layer(in, out);
  torch::nn::init::xavier_uniform_(layer->weight);
  torch::nn::init::normal_(layer->bias, 0, 1e-6);
  return layer;
}

std::int64_t patch_of(const VitOptions& options, const Shape& input_shape,
                      const std::string& name) {
  if (input_shape.size() != 3) {
    throw UserError(name + " reads pictures (channels×height×width), not " +
                    to_string(input_shape));
  }
  const auto patch = options.patch == 0 ? usual_patch(input_shape) : options.patch;
  if (input_shape[1] % patch != 0 || input_shape[2] % patch != 0) {
    throw UserError(name + ": patches of " + std::to_string(patch) + " do not divide pictures of " +
                    to_string(input_shape));
  }
  return patch;
}

/// A name and the width that it stands for.
struct NamedSize {
  const char* name;
  std::int64_t width;
};

constexpr NamedSize sizes[] = {{"vit_tiny", 192}, {"vit_small", 384}, {"vit_base", 768}};

BackboneEntry entry(const NamedSize& size) {
  BackboneEntry entry;
  entry.name = size.name;
  entry.summary = "vision transformer of 12 blocks, " + std::to_string(size.width) + " wide, " +
                  std::to_string(usual_heads(size.width)) + " heads";
  entry.make = [size](std::int64_t classes, const Shape& input_shape) {
    return vision_transformer(size.name, size.width, classes, input_shape);
  };
  entry.make_with = [size](std::int64_t classes, const Shape& input_shape,
                           const BackboneSettings& settings) {
    return vision_transformer(size.name, size.width, classes, input_shape,
                              read_settings<VitOptions>(size.name, settings));
  };
  return entry;
}

}  // namespace

PatchEmbeddingImpl::PatchEmbeddingImpl(std::int64_t in_channels, std::int64_t width,
                                       std::int64_t patch, bool class_token)
    : in_channels_(in_channels), width_(width), patch_(patch), has_class_token_(class_token) {
  PatchEmbeddingImpl::reset();
}

void PatchEmbeddingImpl::reset() {
  conv_proj_ = register_module(
      "conv_proj",
      torch::nn::Conv2d(torch::nn::Conv2dOptions(in_channels_, width_, patch_).stride(patch_)));
  const auto inputs = static_cast<double>(in_channels_ * patch_ * patch_);
  torch::nn::init::normal_(conv_proj_->weight, 0, std::sqrt(1 / inputs));
  torch::nn::init::zeros_(conv_proj_->bias);
  if (has_class_token_) {
    class_token_ = register_parameter("class_token", torch::zeros({1, 1, width_}));
  }
}

torch::Tensor PatchEmbeddingImpl::forward(const torch::Tensor& images) {
  const auto patches = conv_proj_(images).flatten(2).transpose(1, 2);
  if (!has_class_token_) return patches.contiguous();
  return torch::cat({class_token_.expand({images.size(0), 1, width_}), patches}, 1);
}

PositionEmbeddingImpl::PositionEmbeddingImpl(std::int64_t tokens, std::int64_t width)
    : tokens_(tokens), width_(width) {
  PositionEmbeddingImpl::reset();
}

void PositionEmbeddingImpl::reset() {
  pos_embedding_ = register_parameter("pos_embedding", torch::empty({1, tokens_, width_}));
  torch::nn::init::normal_(pos_embedding_, 0, 0.02);
}

torch::Tensor PositionEmbeddingImpl::forward(const torch::Tensor& tokens) {
  return tokens + pos_embedding_;
}

FeedForwardImpl::FeedForwardImpl(std::int64_t width, std::int64_t hidden)
    : width_(width), hidden_(hidden) {
  FeedForwardImpl::reset();
}

void FeedForwardImpl::reset() {
  first_ = register_module("0", hidden_linear(width_, hidden_));
  second_ = register_module("3", hidden_linear(hidden_, width_));
}

torch::Tensor FeedForwardImpl::forward(torch::nn::LayerNorm& normalisation,
                                       const torch::Tensor& tokens, bool recomputes) {
  const auto hidden = norm_linear(normalisation, tokens, first_->weight, first_->bias, recomputes);
  return gelu_linear(hidden, second_->weight, second_->bias, recomputes);
}

torch::nn::LayerNorm token_norm(std::int64_t width) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({width}).eps(vit_norm_epsilon));
}

EncoderBlockImpl::EncoderBlockImpl(std::int64_t width, std::int64_t heads, std::int64_t hidden)
    : width_(width), heads_(heads), hidden_(hidden) {
  EncoderBlockImpl::reset();
}

void EncoderBlockImpl::reset() {
  ln_1_ = register_module("ln_1", token_norm(width_));
  self_attention_ = register_module("self_attention", SelfAttention(width_, heads_));
  ln_2_ = register_module("ln_2", token_norm(width_));
  mlp_ = register_module("mlp", FeedForward(width_, hidden_));
}

torch::Tensor EncoderBlockImpl::forward(const torch::Tensor& tokens) {
  const auto ways = fork(tokens, 2);
  const auto attended =
      fork(add(ways[1],
               self_attention_->attend(norm_linear(ln_1_, ways[0], self_attention_->in_proj_weight,
                                                   self_attention_->in_proj_bias, recomputes()))),
           2);
  return add(attended[1], mlp_->forward(ln_2_, attended[0], recomputes()));
}

torch::Tensor EncoderBlockImpl::add(const torch::Tensor& tokens,
                                    const torch::Tensor& branch) const {
  const bool drops = is_training() && drop_path_share() > 0;
  return drops ? tokens + drop_path(branch) : tokens + branch;
}

torch::nn::AnyModule EncoderBlockImpl::make_fresh(std::int64_t width, std::int64_t stride) const {
  if (width != width_ || stride != 1) {
    throw UserError("a transformer block " + std::to_string(width_) +
                    " wide reads tokens of that width and keeps their number; it cannot be rebuilt "
                    "for a width of " +
                    std::to_string(width) + " and stride " + std::to_string(stride));
  }
  EncoderBlock fresh(width_, heads_, hidden_);
  fresh->set_drop_path(drop_path_share());
  return torch::nn::AnyModule(fresh);
}

std::int64_t usual_heads(std::int64_t width) {
  std::int64_t head_width = usual_head_width;
  while (width % head_width != 0) head_width /= 2;
  return width / head_width;
}

EncoderBlock encoder_block(std::int64_t width, std::int64_t heads) {
  return EncoderBlock(width, heads, vit_hidden_factor * width);
}

void VitOptions::describe(FieldList& fields) {
  fields.add("patch", patch, "side of a patch; 0: 16, or less for small pictures", count_from(0));
  fields.add("pool", pool,
             "what the head reads: class, a class token; mean, the mean of all tokens, without a "
             "class token",
             one_of({"class", "mean"}));
  fields.add("depth", depth, "transformer blocks", between(1, 1000));
}

std::int64_t usual_patch(const Shape& input_shape) {
  const auto fits = [&](std::int64_t patch, std::int64_t side) {
    return side % patch == 0 && side / patch >= fewest_patches;
  };
  std::int64_t patch = largest_patch;
  while (patch > 1 && !(fits(patch, input_shape.at(1)) && fits(patch, input_shape.at(2)))) {
    patch /= 2;
  }
  return patch;
}

Backbone vision_transformer(const std::string& name, std::int64_t width, std::int64_t classes,
                            const Shape& input_shape, const VitOptions& options) {
  const auto patch = patch_of(options, input_shape, name);
  const TokenLayout layout{input_shape[1] / patch, input_shape[2] / patch,
                           options.pool == "class" ? 1 : 0};
  std::vector<Unit> units;
  units.emplace_back(
      "embedding",
      std::vector<Unit::Layer>{
          {"",
           torch::nn::AnyModule(PatchEmbedding(input_shape[0], width, patch, layout.class_token))},
          {"encoder", torch::nn::AnyModule(PositionEmbedding(layout.count(), width))}});
  for (std::int64_t block = 0; block < options.depth; ++block) {
    units.emplace_back("encoder.layers.encoder_layer_" + std::to_string(block),
                       encoder_block(width, usual_heads(width)));
  }
  torch::nn::Linear classifier(width, classes);
  torch::nn::init::zeros_(classifier->weight);
  torch::nn::init::zeros_(classifier->bias);
  // Layer normalisation is applied only to the classifier's input.
  Unit head("heads",
            std::vector<Unit::Layer>{
                {"", torch::nn::AnyModule(TokenReadout(
                         layout.class_token ? TokenSummary::class_token : TokenSummary::mean,
                         layout.prefix))},
                {"encoder.ln", torch::nn::AnyModule(token_norm(width))},
                {"heads.head", torch::nn::AnyModule(classifier)}});
  Backbone backbone(name, std::move(units), {std::move(head)}, input_shape);
  backbone.set_block_count(static_cast<std::size_t>(options.depth));
  backbone.set_token_layout(layout);
  return backbone;
}

std::vector<BackboneEntry> vision_transformer_entries() {
  std::vector<BackboneEntry> entries;
  for (const auto& size : sizes) entries.push_back(entry(size));
  return entries;
}

}  // namespace mlaan

// Layers that read sequences of tokens: (batch, tokens, width).
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/linear_map.h>
#include <mlaan/nn/token_layout.h>

#include <torch/nn/cloneable.h>

#include <cstdint>

namespace mlaan {

/// Whether a sample of this shape is a sequence of tokens, {tokens, width}.
inline bool is_tokens(const Shape& features) {
  return features.size() == 2;
}

/// Channels of maps {C, h, w}, width of tokens {tokens, width}, or number of features {F}.
inline std::int64_t width_of(const Shape& features) {
  return features.at(is_tokens(features) ? 1 : 0);
}

/// How tokens of this shape lie on the picture: as the backbone's, or, where there are fewer, as
/// those with both sides divided by one whole number. Where the backbone says nothing of its tokens
/// they are taken for a square, with a class token ahead where they are one more than that.
/// \throws UserError where neither fits.
TokenLayout token_layout_of(const Shape& features, const Backbone& backbone);

/// What stands for a whole sequence.
enum class TokenSummary : std::uint8_t {
  class_token,  ///< the first token
  mean          ///< the mean of the tokens, the class token left out
};

/// (batch, tokens, width) → (batch, width)
class TokenReadoutImpl : public torch::nn::Cloneable<TokenReadoutImpl> {
 public:
  /// \param class_token whether there is one.
  TokenReadoutImpl(TokenSummary summary, bool class_token)
      : summary_(summary), class_token_(class_token) {}
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& tokens);

 private:
  TokenSummary summary_;
  bool class_token_;
};
TORCH_MODULE(TokenReadout);

/// The tokens as a map, without the class token: (batch, tokens, width) → (batch, width, rows,
/// columns), channels last in memory.
class TokensToMapImpl : public torch::nn::Cloneable<TokensToMapImpl> {
 public:
  explicit TokensToMapImpl(TokenLayout layout) : layout_(layout) {}
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& tokens);

 private:
  TokenLayout layout_;
};
TORCH_MODULE(TokensToMap);

/// Averages tokens over squares of neighbours; the class token stays. (batch, tokens, width) →
/// (batch, fewer tokens, width)
class TokenAveragePoolImpl : public torch::nn::Cloneable<TokenAveragePoolImpl>, public LinearMap {
 public:
  /// \param rows,columns of the squares; they divide those of the layout.
  TokenAveragePoolImpl(TokenLayout layout, std::int64_t rows, std::int64_t columns)
      : layout_(layout), rows_(rows), columns_(columns) {}
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& tokens);
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const override;
  void send_back(const torch::Tensor& shares, const Put& put) const override;

 private:
  /// The patches by the squares that they lie in: (batch, rows, rows of a square, columns, columns
  /// of a square, width).
  torch::Tensor by_squares(const torch::Tensor& tokens) const;

  TokenLayout layout_;
  std::int64_t rows_;
  std::int64_t columns_;
};
TORCH_MODULE(TokenAveragePool);

}  // namespace mlaan

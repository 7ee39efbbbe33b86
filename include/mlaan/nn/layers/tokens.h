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

/// The grid that tokens of this shape form on the image: the backbone's layout, or, for fewer
/// tokens, that layout without the prefix or with both sides divided by the same whole number. If
/// the backbone's layout is unknown, the tokens are taken for a square grid, preceded by a class
/// token if there is one token more.
/// \throws UserError if neither fits.
TokenLayout token_layout_of(const Shape& features, const Backbone& backbone);

/// Which vector represents a whole sequence.
enum class TokenSummary : std::uint8_t {
  class_token,  ///< the first token
  mean          ///< the mean of the patches
};

/// (batch, tokens, width) → (batch, width)
class TokenReadoutImpl : public torch::nn::Cloneable<TokenReadoutImpl> {
 public:
  /// \param prefix number of tokens before the patches.
  TokenReadoutImpl(TokenSummary summary, std::int64_t prefix)
      : summary_(summary), prefix_(prefix) {}
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& tokens);

 private:
  TokenSummary summary_;
  std::int64_t prefix_;
};
TORCH_MODULE(TokenReadout);

/// Views the patches, without the prefix, as a map: (batch, tokens, width) → (batch, width, rows,
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

/// Average pooling of patches over squares of neighbours, which keeps the prefix as it is.
/// (batch, tokens, width) → (batch, fewer tokens, width)
class TokenAveragePoolImpl : public torch::nn::Cloneable<TokenAveragePoolImpl>, public LinearMap {
 public:
  /// \param rows,columns size of a square; they must divide those of the layout.
  TokenAveragePoolImpl(TokenLayout layout, std::int64_t rows, std::int64_t columns)
      : layout_(layout), rows_(rows), columns_(columns) {}
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& tokens);
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const override;
  void send_back(const torch::Tensor& shares, const Put& put) const override;

 private:
  /// A view of the patches, grouped by square: (batch, rows of squares, rows of a square, columns
  /// of squares, columns of a square, width).
  torch::Tensor by_squares(const torch::Tensor& tokens) const;

  TokenLayout layout_;
  std::int64_t rows_;
  std::int64_t columns_;
};
TORCH_MODULE(TokenAveragePool);

}  // namespace mlaan

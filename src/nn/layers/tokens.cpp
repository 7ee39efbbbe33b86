// Layers that read sequences of tokens: (batch, tokens, width).
#include <mlaan/nn/layers/tokens.h>

#include <cmath>
#include <string>

namespace mlaan {
namespace {

torch::Tensor without_class_token(const torch::Tensor& tokens, bool class_token) {
  return class_token ? tokens.narrow(1, 1, tokens.size(1) - 1) : tokens;
}

/// Whether the tokens are a square of patches, with or without a class token; sets `layout`.
bool is_square(std::int64_t tokens, TokenLayout& layout) {
  for (const bool class_token : {false, true}) {
    const auto patches = tokens - (class_token ? 1 : 0);
    const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(patches)));
    if (side < 1 || side * side != patches) continue;
    layout = {side, side, class_token};
    return true;
  }
  return false;
}

}  // namespace

TokenLayout token_layout_of(const Shape& features, const Backbone& backbone) {
  const auto tokens = features.at(0);
  const auto& known = backbone.token_layout();
  if (known) {
    for (std::int64_t factor = 1; factor <= std::min(known->rows, known->columns); ++factor) {
      if (known->rows % factor != 0 || known->columns % factor != 0) continue;
      const TokenLayout layout{known->rows / factor, known->columns / factor, known->class_token};
      if (layout.count() == tokens) return layout;
    }
    throw UserError(std::to_string(tokens) + " tokens do not match those of " + backbone.name() +
                    ", " + std::to_string(known->rows) + "×" + std::to_string(known->columns) +
                    (known->class_token ? " and a class token" : ""));
  }
  TokenLayout layout;
  if (is_square(tokens, layout)) return layout;
  throw UserError("how the " + std::to_string(tokens) + " tokens of " + backbone.name() +
                  " lie on the picture is not known, since they are not a square; set it with "
                  "Backbone::set_token_layout()");
}

torch::Tensor TokenReadoutImpl::forward(const torch::Tensor& tokens) {
  if (summary_ == TokenSummary::class_token) return tokens.select(1, 0);
  const auto patches = without_class_token(tokens, class_token_);
  // Not mean(): the gradient of a sum is a broadcast.
  return patches.sum(1) / patches.size(1);
}

torch::Tensor TokensToMapImpl::forward(const torch::Tensor& tokens) {
  return without_class_token(tokens, layout_.class_token)
      .transpose(1, 2)
      .unflatten(2, {layout_.rows, layout_.columns});
}

torch::Tensor TokenAveragePoolImpl::by_squares(const torch::Tensor& tokens) const {
  return without_class_token(tokens, layout_.class_token)
      .unflatten(1, {layout_.rows / rows_, rows_, layout_.columns / columns_, columns_});
}

torch::Tensor TokenAveragePoolImpl::forward(const torch::Tensor& tokens) {
  const auto patches = by_squares(tokens).mean(torch::IntArrayRef{2, 4}).flatten(1, 2);
  if (!layout_.class_token) return patches;
  return torch::cat({tokens.narrow(1, 0, 1), patches}, 1);
}

torch::Tensor TokenAveragePoolImpl::shares(const torch::Tensor& gradient, double factor) const {
  torch::Tensor shares = gradient * factor;
  without_class_token(shares, layout_.class_token).div_(rows_ * columns_);
  return shares;
}

void TokenAveragePoolImpl::send_back(const torch::Tensor& shares, const Put& put) const {
  const auto patches = without_class_token(shares, layout_.class_token)
                           .unflatten(1, {layout_.rows / rows_, 1, layout_.columns / columns_, 1});
  put(patches, [&](const torch::Tensor& tokens) { return by_squares(tokens); });
  if (!layout_.class_token) return;
  put(shares.narrow(1, 0, 1), [](const torch::Tensor& tokens) { return tokens.narrow(1, 0, 1); });
}

}  // namespace mlaan

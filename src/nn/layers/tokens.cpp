// Layers that read sequences of tokens: (batch, tokens, width).
#include <mlaan/nn/layers/tokens.h>

#include <cmath>
#include <string>

namespace mlaan {
namespace {

torch::Tensor without_prefix(const torch::Tensor& tokens, std::int64_t prefix) {
  return prefix > 0 ? tokens.narrow(1, prefix, tokens.size(1) - prefix) : tokens;
}

/// Whether the tokens are a square of patches, with or without a class token; sets `layout`.
bool is_square(std::int64_t tokens, TokenLayout& layout) {
  for (const std::int64_t prefix : {0, 1}) {
    const auto patches = tokens - prefix;
    const auto side = static_cast<std::int64_t>(std::lround(std::sqrt(patches)));
    if (side < 1 || side * side != patches) continue;
    layout = {side, side, prefix};
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
      const TokenLayout layout{known->rows / factor, known->columns / factor, known->prefix,
                               known->class_token};
      if (layout.count() == tokens) return layout;
      // Units before the one that adds the prefix return the patches alone.
      const TokenLayout patches{layout.rows, layout.columns, 0};
      if (patches.count() == tokens) return patches;
    }
    throw UserError(std::to_string(tokens) + " tokens do not match those of " + backbone.name() +
                    ", " + std::to_string(known->rows) + "×" + std::to_string(known->columns) +
                    " patches behind " + std::to_string(known->prefix) + " other tokens");
  }
  TokenLayout layout;
  if (is_square(tokens, layout)) return layout;
  throw UserError("how the " + std::to_string(tokens) + " tokens of " + backbone.name() +
                  " lie on the picture is not known, since they are not a square; set it with "
                  "Backbone::set_token_layout()");
}

torch::Tensor TokenReadoutImpl::forward(const torch::Tensor& tokens) {
  if (summary_ == TokenSummary::class_token) return tokens.select(1, 0);
  const auto patches = without_prefix(tokens, prefix_);
  // Not mean(): the gradient of a sum is a broadcast.
  return patches.sum(1) / patches.size(1);
}

torch::Tensor TokensToMapImpl::forward(const torch::Tensor& tokens) {
  return without_prefix(tokens, layout_.prefix)
      .transpose(1, 2)
      .unflatten(2, {layout_.rows, layout_.columns});
}

torch::Tensor TokenAveragePoolImpl::by_squares(const torch::Tensor& tokens) const {
  return without_prefix(tokens, layout_.prefix)
      .unflatten(1, {layout_.rows / rows_, rows_, layout_.columns / columns_, columns_});
}

torch::Tensor TokenAveragePoolImpl::forward(const torch::Tensor& tokens) {
  const auto patches = by_squares(tokens).mean(torch::IntArrayRef{2, 4}).flatten(1, 2);
  if (layout_.prefix == 0) return patches;
  return torch::cat({tokens.narrow(1, 0, layout_.prefix), patches}, 1);
}

torch::Tensor TokenAveragePoolImpl::shares(const torch::Tensor& gradient, double factor) const {
  torch::Tensor shares = gradient * factor;
  without_prefix(shares, layout_.prefix).div_(rows_ * columns_);
  return shares;
}

void TokenAveragePoolImpl::send_back(const torch::Tensor& shares, const Put& put) const {
  const auto patches = without_prefix(shares, layout_.prefix)
                           .unflatten(1, {layout_.rows / rows_, 1, layout_.columns / columns_, 1});
  put(patches, [&](const torch::Tensor& tokens) { return by_squares(tokens); });
  if (layout_.prefix == 0) return;
  put(shares.narrow(1, 0, layout_.prefix),
      [&](const torch::Tensor& tokens) { return tokens.narrow(1, 0, layout_.prefix); });
}

}  // namespace mlaan

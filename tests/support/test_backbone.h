// Backbones that every method can train, and pictures for them.
#pragma once

#include <mlaan/nn/backbones.h>

#include <torch/torch.h>

#include <cstdint>
#include <string>

namespace mlaan::testing {

/// A registered backbone of 10 classes for 32×32 pictures of which it is known how they were
/// normalised: not at all.
inline Backbone test_backbone(const std::string& model, std::uint64_t seed) {
  Backbone backbone = make_backbone(model, 10, {3, 32, 32}, seed);
  backbone.set_normalisation({{0, 0, 0}, {1, 1, 1}});
  return backbone;
}

/// Always the same.
inline torch::Tensor some_images(std::int64_t count) {
  torch::manual_seed(7);
  return torch::randn({count, 3, 32, 32});
}

}  // namespace mlaan::testing

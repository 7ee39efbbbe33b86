#include "nn/kernels/pixel_cross_entropy.h"

#include "support/closeness.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// Logits of all sizes, in a layout that is not the pixels' own.
torch::Tensor some_logits(torch::Dtype type) {
  torch::manual_seed(1);
  auto logits = 30 * torch::randn({3, 3, 5, 4}, type);
  logits.flatten().slice(0, 0, 6).copy_(torch::tensor({0., 21., 39., 41., -90., 90.}));
  return logits.contiguous(torch::MemoryFormat::ChannelsLast).requires_grad_(true);
}

TEST(PixelCrossEntropy, AndItsGradientAreThoseOfLibTorchsOwn) {
  for (const auto type : {torch::kFloat32, torch::kFloat64}) {
    const double tolerance = type == torch::kFloat32 ? 1e-6 : 1e-14;
    const auto logits = some_logits(type);
    const auto pixels = torch::rand({3, 3, 5, 4}, type);
    const auto expected = torch::binary_cross_entropy_with_logits(logits, pixels);
    const auto loss = pixel_cross_entropy(logits, pixels);
    expect_close(loss, expected, tolerance, "loss");
    expect_close(torch::autograd::grad({3 * loss}, {logits})[0],
                 torch::autograd::grad({3 * expected}, {logits})[0], tolerance, "gradient");
  }
}

TEST(PixelCrossEntropy, GivesNoGraphWhereNobodyAsks) {
  const auto logits = some_logits(torch::kFloat32);
  const auto pixels = torch::rand({3, 3, 5, 4});
  EXPECT_FALSE(pixel_cross_entropy(logits.detach(), pixels).requires_grad());
  const torch::NoGradGuard no_grad;
  EXPECT_FALSE(pixel_cross_entropy(logits, pixels).requires_grad());
}

}  // namespace
}  // namespace mlaan::testing

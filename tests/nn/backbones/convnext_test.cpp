#include "support/errors.h"

#include <mlaan/nn/backbones/convnext.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/narrow.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

Backbone make() {
  return make_backbone("convnext_tiny", 10, {3, 64, 64}, 0);
}

/// Makes the branch of a unit's block visible beside what goes around it.
void scale_branch(const Unit& unit) {
  const torch::NoGradGuard no_grad;
  for (const auto& named : unit.named_parameters()) {
    if (named.name.find("layer_scale") != std::string::npos) torch::Tensor(named.tensor).fill_(1);
  }
}

TEST(Convnext, HalvingsGoWithTheBlockBehindThem) {
  const Backbone backbone = make();
  ASSERT_EQ(backbone.size(), 19U);
  EXPECT_EQ(backbone.block_count(), 18U);
  EXPECT_EQ(backbone.output_shape(0), (Shape{96, 16, 16}));
  EXPECT_EQ(backbone.units()[4].name(), "features.3.0");
  EXPECT_EQ(backbone.units()[4].named_parameters().front().name, "features.2.0.weight");
  EXPECT_EQ(backbone.output_shape(4), (Shape{192, 8, 8}));
  EXPECT_EQ(backbone.output_shape(18), (Shape{768, 2, 2}));
}

TEST(Convnext, TrainingLeavesOutTheBranchOfOneSampleInTenAtTheEnd) {
  const Backbone backbone = make();
  const Unit& last = backbone.units().back();
  scale_branch(last);
  torch::manual_seed(3);
  const auto input = torch::randn({1000, 768, 1, 1});
  const torch::NoGradGuard no_grad;
  const auto share_left_out = [&] {
    return (last.forward(input.clone()) == input)
        .flatten(1)
        .all(1)
        .to(torch::kDouble)
        .mean()
        .item<double>();
  };
  EXPECT_NEAR(share_left_out(), 0.1, 0.03);
  backbone.train(false);
  EXPECT_EQ(share_left_out(), 0);
}

TEST(Convnext, FreshBlocksTakeOtherSizes) {
  const Unit fresh = fresh_unit(make(), 4, "fresh", 24, 2);
  EXPECT_EQ(fresh.forward(torch::zeros({2, 24, 8, 8})).sizes(), (Shape{2, 192, 4, 4}));
}

TEST(Convnext, BlocksCanBeMadeNarrower) {
  const Backbone backbone = make();
  const Unit copy = backbone.units()[4].clone("copy");
  narrow(copy, 4);
  EXPECT_EQ(copy.forward(torch::zeros({2, 24, 8, 8})).sizes(), (Shape{2, 48, 4, 4}));
  expect_user_error([&] { narrow(backbone.units()[4].clone("copy"), 5); }, {"96 channels"});
}

}  // namespace
}  // namespace mlaan::testing

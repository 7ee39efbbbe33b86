#include "support/closeness.h"

#include <mlaan/measure/memory.h>
#include <mlaan/nn/fork.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

TEST(Fork, SumsTheGradientsOfAllWhoRead) {
  const auto source = torch::randn({5, 7}, torch::kFloat64).requires_grad_(true);
  const auto ways = fork(source * 1, 3);
  ASSERT_EQ(ways.size(), 3U);
  (ways[0].square() + 2 * ways[1] + ways[2].exp()).sum().backward();
  expect_close(source.grad(), 2 * source.detach() + 2 + source.detach().exp(), 1e-14, "gradient");
}

TEST(Fork, KeepsWhatOthersHold) {
  const auto source = torch::randn({4, 4}).requires_grad_(true);
  const auto ways = fork(source * 1, 2);
  const auto cotangent = torch::randn({4, 4});
  const auto before = cotangent.clone();
  // Both ways hand on the very tensor that the caller holds.
  (ways[0] + ways[1]).backward(cotangent);
  expect_same(cotangent, before, "cotangent");
  expect_same(source.grad(), 2 * cotangent, "gradient");
}

TEST(Fork, NeedsNotAllOfItsWays) {
  const auto source = torch::randn({3}).requires_grad_(true);
  const auto ways = fork(source * 2, 2);
  ways[1].sum().backward();
  expect_same(source.grad(), torch::full({3}, 2.F), "gradient");
}

TEST(Fork, GivesTheTensorItselfWhereNoGradientIsTaken) {
  const auto plain = torch::randn({3});
  EXPECT_TRUE(fork(plain, 2)[1].is_same(plain));
  const auto source = torch::randn({3}).requires_grad_(true);
  const torch::NoGradGuard no_grad;
  EXPECT_TRUE(fork(source, 2)[0].is_same(source));
}

TEST(Fork, NeedsNoThirdTensorForTheSum) {
  constexpr std::int64_t elements = 1 << 20;
  const auto source = torch::randn({elements}).requires_grad_(true);
  torch::Tensor sum;
  {
    const auto ways = fork(source, 2);
    sum = (ways[0] * 2 + ways[1] * 3).sum();
  }
  measure::reset_peak(torch::kCPU);
  const auto before = measure::read_memory(torch::kCPU);
  sum.backward();
  const auto after = measure::read_memory(torch::kCPU);
  const auto most = static_cast<std::int64_t>(2 * elements * sizeof(float));
  EXPECT_GT(after.peak - before.live, most / 2);
  EXPECT_LT(after.peak - before.live, most + most / 4);
}

}  // namespace
}  // namespace mlaan::testing

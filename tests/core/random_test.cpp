#include <mlaan/core/random.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <set>

namespace mlaan::testing {
namespace {

TEST(Random, KeysDependOnEveryPartAndItsPlace) {
  const std::set<std::uint64_t> keys{random_key({1, 2}), random_key({2, 1}), random_key({1, 2, 0}),
                                     random_key({1}),    random_key("a"),    random_key("b"),
                                     random_key("ab"),   random_key("ba")};
  EXPECT_EQ(keys.size(), 8U);
}

TEST(Random, StreamIsThePublishedSplitMix64) {
  // First outputs for seed 1234567, from the reference implementation by S. Vigna.
  RandomStream random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317ULL);
  EXPECT_EQ(random.next(), 3203168211198807973ULL);
}

TEST(Random, BelowStaysBelowAndReachesAll) {
  RandomStream random(5);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 500; ++i) seen.insert(random.below(7));
  EXPECT_EQ(seen.size(), 7U);
  EXPECT_EQ(*seen.rbegin(), 6U);
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  RandomStream random(6);
  double sum = 0;
  double squares = 0;
  constexpr int count = 20000;
  for (int i = 0; i < count; ++i) {
    const double value = random.normal();
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / count, 0, 0.03);
  EXPECT_NEAR(squares / count, 1, 0.05);
}

TEST(Random, BetaHasItsMeanAndVariance) {
  for (const double alpha : {0.05, 0.2, 1.0, 4.0}) {
    RandomStream random(8);
    double sum = 0;
    double squares = 0;
    constexpr int count = 20000;
    for (int i = 0; i < count; ++i) {
      const double value = random.beta(alpha);
      ASSERT_TRUE(value >= 0 && value <= 1) << value;
      sum += value;
      squares += value * value;
    }
    const double mean = sum / count;
    EXPECT_NEAR(mean, 0.5, 0.015) << alpha;
    EXPECT_NEAR(squares / count - mean * mean, 1 / (4 * (2 * alpha + 1)), 0.005) << alpha;
  }
}

TEST(Random, PermutationHoldsEveryNumberOnceAndFollowsTheKey) {
  const auto order = random_permutation(100, 3);
  EXPECT_EQ(std::set<std::int64_t>(order.begin(), order.end()).size(), 100U);
  EXPECT_EQ(order, random_permutation(100, 3));
  EXPECT_NE(order, random_permutation(100, 4));
  EXPECT_TRUE(random_permutation(0, 1).empty());
}

TEST(Random, GuardGivesTheDefaultGeneratorBackAsItWas) {
  torch::manual_seed(1);
  const auto expected = torch::rand({3});
  torch::manual_seed(1);
  {
    const DefaultGeneratorGuard guard(torch::kCPU);
    seed_default_generator(torch::kCPU, 99);
    torch::rand({10});
  }
  EXPECT_TRUE(torch::equal(torch::rand({3}), expected));
}

}  // namespace
}  // namespace mlaan::testing

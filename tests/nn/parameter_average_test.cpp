#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/measure/memory.h>
#include <mlaan/nn/parameter_average.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// One link after the other, one tensor after the other.
void update_one_by_one(const std::vector<ParameterAverage>& averages) {
  for (const auto& link : averages) {
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      link.average[i].lerp_(link.source[i], 1 - link.momentum);
    }
  }
}

/// Links of two momenta; sources with two followers; an average that follows another; one that
/// follows twice.
std::vector<ParameterAverage> some_links() {
  torch::manual_seed(11);
  const auto tensors = [] {
    return std::vector<torch::Tensor>{torch::randn({4, 3, 3, 3}), torch::randn({17}),
                                      torch::randn({3}, torch::kFloat64)};
  };
  const auto first = tensors();
  const auto second = tensors();
  const auto source = tensors();
  const auto third = tensors();
  return {{first, source, 0.995},   {second, source, 0.995}, {third, second, 0.995},
          {second, third, 0.995},   {first, source, 0.9},    {third, first, 0.3},
          {tensors(), source, 0.3}, {first, tensors(), 0.3}};
}

TEST(ParameterAverage, IsMovedAsOneByOneBitForBit) {
  const auto links = some_links();
  const auto expected = some_links();
  for (int step = 0; step < 3; ++step) {
    update(links);
    update_one_by_one(expected);
  }
  for (std::size_t link = 0; link < links.size(); ++link) {
    for (std::size_t i = 0; i < links[link].average.size(); ++i) {
      expect_same(links[link].average[i], expected[link].average[i],
                  "link " + std::to_string(link) + ", tensor " + std::to_string(i));
    }
  }
}

TEST(ParameterAverage, NeedsNoBytesToMove) {
  ParameterAverage link;
  for (int i = 0; i < 4; ++i) {
    link.average.push_back(torch::randn({100000}));
    link.source.push_back(torch::randn({100000}));
  }
  measure::reset_peak(torch::kCPU);
  const auto before = measure::read_memory(torch::kCPU).live;
  update({link});
  constexpr std::int64_t scalars = 1024;
  EXPECT_LE(measure::read_memory(torch::kCPU).peak - before, scalars);
}

TEST(ParameterAverage, EqualsShareMemoryAndMoveAsOneByOne) {
  const auto source = torch::randn({4, 3});
  const auto start = torch::randn({4, 3});
  const auto follower = [&] { return start.clone(); };
  ParameterAverage first{{follower()}, {source}, 0.9};
  ParameterAverage equal{{follower()}, {source}, 0.9};
  ParameterAverage slower{{follower()}, {source}, 0.99};
  ParameterAverage elsewhere{{start + 1}, {source}, 0.9};
  ParameterAverage of_average{{follower()}, {first.average[0]}, 0.9};
  ParameterAverage of_equal{{follower()}, {first.average[0]}, 0.9};
  const std::vector<ParameterAverage> links{first, equal, slower, elsewhere, of_average, of_equal};
  share_memory(links);
  EXPECT_TRUE(equal.average[0].is_alias_of(first.average[0]));
  for (const auto& other : {slower, elsewhere, of_average}) {
    EXPECT_FALSE(other.average[0].is_alias_of(first.average[0]));
  }
  EXPECT_FALSE(of_equal.average[0].is_alias_of(of_average.average[0]));

  std::vector<ParameterAverage> expected;
  for (const auto& link : links) {
    expected.push_back({{link.average[0].clone()}, link.source, link.momentum});
  }
  for (std::size_t i = 4; i < 6; ++i) expected[i].source = {expected[0].average[0]};
  for (int step = 0; step < 3; ++step) {
    update(links);
    update_one_by_one(expected);
  }
  for (std::size_t i = 0; i < links.size(); ++i) {
    expect_same(links[i].average[0], expected[i].average[0], "link " + std::to_string(i));
  }
}

TEST(ParameterAverage, ThoseThatMoveTwiceShareNothing) {
  const auto source = torch::randn({3});
  const auto twice = torch::zeros({3});
  const ParameterAverage once{{torch::zeros({3})}, {source}, 0.9};
  share_memory({{{twice}, {source}, 0.9}, {{twice}, {source}, 0.9}, once});
  EXPECT_FALSE(once.average[0].is_alias_of(twice));
}

TEST(ParameterAverage, NothingToMoveIsFine) {
  EXPECT_NO_THROW(update({}));
  EXPECT_NO_THROW(update({ParameterAverage{}}));
}

}  // namespace
}  // namespace mlaan::testing

#include "local/cotangents.h"
#include "support/closeness.h"

#include <mlaan/measure/memory.h>
#include <mlaan/nn/layers/average_pool.h>
#include <mlaan/nn/layers/tokens.h>
#include <mlaan/nn/linear_reading.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

Unit pool(std::int64_t rows, std::int64_t columns) {
  return {"pool", AveragePool(rows, columns)};
}

/// That a reading of this unit sends gradients back as autograd does.
void expect_autograds_gradients(const Unit& unit, const torch::Tensor& input,
                                const std::string& what) {
  const auto source = input.detach().requires_grad_(true);
  const auto output = unit.forward(source);
  const auto cotangent = torch::randn_like(output);
  const auto expected = torch::autograd::grad({output}, {source}, {cotangent})[0];

  LinearReading reading({unit, unit});
  ASSERT_EQ(reading.size(), 1U) << what;
  const auto value = reading.read(input);
  EXPECT_FALSE(value.requires_grad());
  expect_same(value, output.detach(), what + ", output");
  const auto shares = reading.shares(cotangent, 1);
  const auto actual = reading.send_back(shares);
  expect_close(actual, expected, 1e-14, what);
  EXPECT_EQ(actual.suggest_memory_format(), input.suggest_memory_format()) << what;
  expect_close(reading.send_back(reading.shares(cotangent, 3)), 3 * expected, 1e-14,
               what + ", times a factor");
  expect_same(reading.send_back(shares.contiguous()), actual, what + ", in another layout");
  const auto activated = torch::relu(input);
  expect_same(reading.send_back_cut(shares, activated),
              torch::where(activated > 0, actual, torch::zeros({}, input.options())),
              what + ", cut");
  const auto sum = torch::ones_like(input);
  reading.add_to(sum, shares);
  expect_close(sum, 1 + expected, 1e-14, what + ", added");
}

TEST(LinearMap, SendsGradientsBackAsAutogradDoes) {
  for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
    const auto maps = torch::randn({2, 6, 9, 8}, torch::kFloat64).contiguous(format);
    expect_autograds_gradients(pool(3, 2), maps, "squares that cover the map");
    expect_autograds_gradients(pool(2, 2), maps, "a row that they do not reach");
    expect_autograds_gradients(pool(2, 3), maps, "a row and columns that they do not reach");
    const auto large = torch::randn({2, 16, 37, 33}, torch::kFloat64).contiguous(format);
    expect_autograds_gradients(pool(2, 2), large, "maps that are brought back in parts");
  }
  for (const std::int64_t prefix : {0, 1, 3}) {
    const TokenLayout layout{4, 6, prefix};
    const auto tokens = torch::randn({2, layout.count(), 6}, torch::kFloat64);
    expect_autograds_gradients({"pool", TokenAveragePool(layout, 2, 3)}, tokens, "tokens");
  }
}

TEST(LinearReading, IsOfAFirstUnitThatIsALinearMap) {
  const auto maps = torch::ones({1, 1, 4, 4});
  const Unit other("relu", torch::nn::ReLU());
  LinearReading none({other, pool(2, 2)});
  EXPECT_EQ(none.size(), 0U);
  EXPECT_TRUE(none.read(maps).is_same(maps));
  EXPECT_EQ(LinearReading({Unit::sum("sum", {pool(2, 2)})}).size(), 0U);
  EXPECT_EQ(LinearReading({Unit("two", {{"", torch::nn::AnyModule(AveragePool(2, 2))},
                                        {"", torch::nn::AnyModule(torch::nn::Linear(2, 2))}})})
                .size(),
            0U);
}

/// Cotangents at maps of 3×8×8, some behind pooling.
class CotangentsBehindReadings : public ::testing::Test {
 protected:
  Gradient behind_pool(double value) const {
    auto reading = std::make_shared<LinearReading>(std::vector<Unit>{pool(2, 2)});
    const auto output = reading->read(torch::zeros(sizes));
    return {reading->shares(torch::full_like(output, value), 1), reading};
  }
  Gradient at_output(double value) const { return Gradient(torch::full(sizes, value)); }
  Gradient broadcast(double value) const { return Gradient(torch::full({}, value).expand(sizes)); }
  static torch::Tensor sum_of(Gradient cotangent) {
    torch::Tensor sum;
    std::move(cotangent).add_to(sum);
    return sum;
  }

  const std::vector<std::int64_t> sizes{2, 3, 8, 8};
  Cotangents cotangents;
};

TEST_F(CotangentsBehindReadings, AddUpInAnyOrder) {
  const std::vector<Gradient> all{behind_pool(4), at_output(2), behind_pool(8), broadcast(16)};
  const auto expected = torch::full(sizes, 1.0 + 2 + 2 + 16);
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    for (const auto i : order) cotangents.add_to_sum(all[i]);
    expect_same(cotangents.take_sum(), expected, "sum");
    for (const auto i : order) cotangents.add_to_group(1, all[i]);
    expect_same(sum_of(cotangents.take_group(1)), expected, "group");
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_FALSE(cotangents.take_sum().defined());
  EXPECT_FALSE(cotangents.take_group(1).defined());
  // Nobody wrote into what was handed over and is held elsewhere too.
  expect_same(all[1].numbers(), torch::full(sizes, 2.0), "a cotangent");
  expect_same(all[3].numbers(), torch::full(sizes, 16.0), "a broadcast");
}

TEST_F(CotangentsBehindReadings, AreDealtOutByWeight) {
  Evaluation evaluation;
  evaluation.module = 3;
  evaluation.weight = 4;
  evaluation.groups = {{1, 1}, {3, 3}};
  const auto reading = std::make_shared<LinearReading>(std::vector<Unit>{pool(2, 2)});
  const auto gradient = torch::full_like(reading->read(torch::zeros(sizes)), 16);
  cotangents.add(evaluation, gradient, reading);
  EXPECT_TRUE(cotangents.take_group(1).is_pooled());
  cotangents.add(evaluation, gradient, reading);
  expect_same(sum_of(cotangents.take_group(1)), torch::full(sizes, 1.0), "group");
  expect_same(cotangents.take_sum(), torch::full(sizes, 6.0), "sum of two");
}

TEST_F(CotangentsBehindReadings, TakeTheMemoryOfThePooledMapWhileTheyWait) {
  const auto live = [] { return measure::read_memory(torch::kCPU).live; };
  const std::int64_t map = 2 * 3 * 8 * 8 * 4;
  const auto before = live();
  cotangents.add_to_sum(behind_pool(1));
  EXPECT_LT(live() - before, map / 2);
  cotangents.add_to_sum(at_output(1));
  measure::reset_peak(torch::kCPU);
  const auto waiting = live();
  const auto sum = cotangents.take_sum();
  EXPECT_LT(measure::read_memory(torch::kCPU).peak - waiting, map / 2) << "added in place";
}

}  // namespace
}  // namespace mlaan::testing

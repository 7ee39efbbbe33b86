#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/measure/cost.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/layers/narrow.h>
#include <mlaan/nn/layers/self_attention.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

constexpr std::int64_t samples = 3;
constexpr std::int64_t sequence_length = 7;
constexpr std::int64_t heads = 2;
constexpr std::int64_t head_width = 5;
constexpr std::int64_t model_width = heads * head_width;

/// Equation 1 of the paper, head by head.
torch::Tensor plain_attention(const torch::Tensor& projected) {
  std::vector<torch::Tensor> outputs;
  for (std::int64_t head = 0; head < heads; ++head) {
    const auto part = [&](std::int64_t which) {
      return projected.slice(2, which * model_width + head * head_width,
                             which * model_width + (head + 1) * head_width);
    };
    const auto scores = part(0).matmul(part(1).transpose(1, 2)) / std::sqrt(head_width);
    const auto powers = scores.exp();
    outputs.push_back((powers / powers.sum(2, true)).matmul(part(2)));
  }
  return torch::cat(outputs, 2);
}

TEST(SelfAttention, IsThatOfThePaperWithItsGradient) {
  torch::manual_seed(1);
  const auto projected = torch::randn({samples, sequence_length, 3 * model_width}, torch::kFloat64)
                             .requires_grad_(true);
  const auto cotangent = torch::randn({samples, sequence_length, model_width}, torch::kFloat64);
  const auto expected = plain_attention(projected);
  const auto actual = multi_head_attention(projected, heads);
  expect_close(actual.detach(), expected.detach(), 1e-12, "output");
  expect_close(torch::autograd::grad({actual}, {projected}, {cotangent})[0],
               torch::autograd::grad({expected}, {projected}, {cotangent})[0], 1e-10, "gradient");
  const torch::NoGradGuard no_grad;
  expect_close(multi_head_attention(projected, heads), expected.detach(), 1e-12, "without graph");
}

TEST(SelfAttention, KeepsNoWeights) {
  constexpr std::int64_t many = 200;
  const auto projected = torch::randn({2, many, 3 * model_width}).requires_grad_(true);
  const auto before = measure::read_memory(torch::kCPU).live;
  const auto output = multi_head_attention(projected, heads);
  const auto kept = measure::read_memory(torch::kCPU).live - before;
  EXPECT_GE(kept, 2 * many * model_width * 4) << "the output itself";
  EXPECT_LT(kept, 2 * many * many * 4) << "the weights of one head";
}

TEST(SelfAttention, ItsMultiplyAddsAreCounted) {
  const auto projected =
      torch::randn({samples, sequence_length, 3 * model_width}).requires_grad_(true);
  const measure::MultiplyAddCounter counter;
  const auto output = multi_head_attention(projected, heads);
  const std::int64_t product = samples * sequence_length * sequence_length * model_width;
  EXPECT_EQ(counter.count(), 2 * product);
  output.sum().backward();
  EXPECT_EQ(counter.count(), (2 + 5) * product) << "the scores anew, and four products";
}

TEST(SelfAttention, ReadsItsOwnTokensAlone) {
  SelfAttention layer(model_width, heads);
  const auto input = torch::randn({samples, sequence_length, model_width});
  const torch::NoGradGuard no_grad;
  const auto whole = layer(input);
  expect_close(layer(input.slice(0, 1, 2)), whole.slice(0, 1, 2), 1e-5, "one image by itself");
}

TEST(SelfAttention, ComputesInTheTypeOfAutocast) {
  const auto exact = torch::randn({samples, sequence_length, 3 * model_width});
  const auto projected = exact.to(torch::kBFloat16).requires_grad_(true);
  const auto output = multi_head_attention(projected, heads);
  EXPECT_EQ(output.scalar_type(), torch::kBFloat16);
  expect_close(output.detach().to(torch::kFloat32), plain_attention(exact), 0.05, "output");
  output.sum().backward();
  EXPECT_EQ(projected.grad().scalar_type(), torch::kBFloat16);
}

TEST(SelfAttention, CanBeMadeNarrower) {
  const Unit unit("attention", SelfAttention(8, 2));
  const Unit narrower = unit.clone("narrow");
  narrow(narrower, 2);
  EXPECT_EQ(narrower.forward(torch::randn({samples, sequence_length, 4})).sizes(),
            (std::vector<std::int64_t>{samples, sequence_length, 4}));
  const auto source = unit.named_parameters().front().tensor;
  const auto grouped = narrower.named_parameters().front().tensor;
  // The second head's keys begin in row 8 + 4 there, in row 4 + 2 here.
  expect_close(grouped[6].detach(), (source[12] + source[13]).view({4, 2}).sum(1).detach() / 2,
               1e-6, "the mean over outputs of sums over inputs");
  expect_user_error([&] { narrow(unit.clone("odd"), 3); }, {"4 channels", "3"});
}

TEST(SelfAttention, HeadsMustDivideTheWidth) {
  expect_user_error([] { SelfAttention(10, 3); }, {"width 10", "3 heads"});
}

}  // namespace
}  // namespace mlaan::testing

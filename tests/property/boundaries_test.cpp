// Random plans with rounded boundaries: gradients are those of the network that rounds there.
#include "support/closeness.h"
#include "support/errors.h"
#include "support/naive.h"
#include "support/random_chain.h"
#include "support/recomputation.h"

#include <mlaan/local/engine.h>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t boundary_seed = 11;
constexpr int boundary_cases = 40;

EngineOptions rounded() {
  EngineOptions options;
  options.seed = boundary_seed;
  options.boundaries = Precision::bfloat16;
  return options;
}

TEST(RoundedBoundaries, GradientsAreThoseOfEveryWindowByItself) {
  int moved = 0;
  for (std::uint64_t key = 0; key < boundary_cases; ++key) {
    const TrainingCase random = random_case(key, torch::kFloat64);
    const auto naive = [&](std::optional<torch::Dtype> boundaries) {
      return naive_gradients(random.backbone, random.plan, random.images, random.labels,
                             boundary_seed, 0, boundaries);
    };
    const NaiveResult exact = naive(std::nullopt);
    const NaiveResult expected = naive(torch::kBFloat16);
    Engine engine(random.backbone, random.plan, rounded());
    engine.accumulate(random.images, random.labels);
    double largest = 0;
    for (const auto& [name, gradient] : expected.gradients) {
      largest = std::max(largest, gradient.abs().max().item<double>());
    }
    bool differs = false;
    for (const auto& named : engine.named_parameters()) {
      const auto& gradient = expected.gradients.at(named.name);
      const auto actual =
          named.tensor.grad().defined() ? named.tensor.grad() : torch::zeros_like(gradient);
      const double scale = std::max(gradient.abs().max().item<double>(), 1e-3 * largest);
      EXPECT_LE((actual - gradient).abs().max().item<double>(), 1e-10 * scale)
          << "case " << key << ", " << named.name;
      differs = differs || relative_difference(exact.gradients.at(named.name), gradient) > 1e-5;
    }
    if (differs) ++moved;
  }
  EXPECT_GT(moved, boundary_cases / 2) << "rounding shows, so the comparison above sees it";
}

TEST(RoundedBoundaries, RecomputationIsExactBitForBit) {
  for (std::uint64_t key = 0; key < boundary_cases; ++key) {
    expect_recomputation_is_exact([key] { return random_case(key, torch::kFloat32); }, rounded(),
                                  "case " + std::to_string(key));
  }
}

TEST(RoundedBoundaries, Float16IsNoTypeForThem) {
  const TrainingCase random = random_case(0, torch::kFloat32);
  EngineOptions options = rounded();
  options.boundaries = Precision::float16;
  expect_user_error([&] { Engine(random.backbone, random.plan, options); },
                    {"engine.boundaries", "float16", "float32", "bfloat16"});
}

}  // namespace
}  // namespace mlaan::testing

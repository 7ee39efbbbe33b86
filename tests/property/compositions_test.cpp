// Every method, and hosts with additions: the engine's gradients and losses are those of running
// every window alone, and recomputation changes none of their bits.
#include "support/naive.h"
#include "support/recomputation.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t seed = 5;

class Composed : public ::testing::TestWithParam<std::string> {
 protected:
  /// The same every time.
  static TrainingCase make() {
    const Backbone backbone = test_backbone("resnet14", 2);
    OptionSet options;
    Plan plan =
        find_method(GetParam()).plan(backbone, default_partition(backbone, 4), options, seed);
    backbone.to(torch::kFloat64);
    for (const auto& net : nets(plan)) {
      for (const auto& unit : net->units()) unit.to(torch::kFloat64);
    }
    torch::manual_seed(1);
    return {backbone, std::move(plan), torch::rand({6, 3, 32, 32}, torch::kFloat64),
            torch::arange(6) % 3};
  }

  static EngineOptions options() {
    EngineOptions options;
    options.seed = seed;
    return options;
  }
};

TEST_P(Composed, GradientsEqualThoseOfEveryWindowByItself) {
  const auto [backbone, plan, images, labels] = make();
  const NaiveResult naive = naive_gradients(backbone, plan, images, labels, seed, 0);
  Engine engine(backbone, plan, options());
  const StepResult result = engine.accumulate(images, labels);
  for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
    EXPECT_NEAR(result.losses[static_cast<std::int64_t>(s)].item<double>(), naive.losses.at(s),
                1e-9)
        << plan.supervisions[s].name;
  }
  double largest = 0;
  for (const auto& [name, gradient] : naive.gradients) {
    largest = std::max(largest, gradient.abs().max().item<double>());
  }
  for (const auto& named : engine.named_parameters()) {
    const torch::Tensor& expected = naive.gradients.at(named.name);
    const torch::Tensor actual =
        named.tensor.grad().defined() ? named.tensor.grad() : torch::zeros_like(expected);
    const double scale = std::max(expected.abs().max().item<double>(), 1e-3 * largest);
    EXPECT_LE((actual - expected).abs().max().item<double>(), 1e-8 * scale) << named.name;
  }
}

TEST_P(Composed, RecomputationChangesNoBit) {
  expect_recomputation_is_exact(make, options(), GetParam());
}

std::vector<std::string> all_methods() {
  auto names = method_registry().names();
  for (const char* more : {"dgl+mlm", "dgl+mlm+lam", "predsim+lam", "predsim+mlm+lam",
                           "infopro+mlm+lam", "infopro+mlm+man", "auglocal+mlm", "dgl+man"}) {
    names.emplace_back(more);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Methods, Composed, ::testing::ValuesIn(all_methods()),
                         [](const auto& name) {
                           std::string text = name.param;
                           for (char& letter : text) {
                             if (letter == '-' || letter == '+') letter = '_';
                           }
                           return text;
                         });

}  // namespace
}  // namespace mlaan::testing

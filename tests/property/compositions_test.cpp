// Every method, and hosts with additions: the engine's gradients and losses are those of running
// every window alone, and recomputation changes none of their bits.
#include "support/naive.h"
#include "support/recomputation.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones/vision_transformer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t composition_seed = 5;

enum class Kind : std::uint8_t { convolutional, transformer };

/// A small transformer whose head reads something, though heads start from zeros.
Backbone small_transformer() {
  torch::manual_seed(4);
  VitOptions options;
  options.patch = 8;
  options.depth = 5;
  Backbone backbone = vision_transformer("transformer", 24, 10, {3, 32, 32}, options);
  backbone.set_normalisation({{0, 0, 0}, {1, 1, 1}});
  const torch::NoGradGuard no_grad;
  for (const auto& named : backbone.named_parameters()) {
    torch::Tensor(named.tensor).add_(0.1 * torch::randn_like(named.tensor));
  }
  return backbone;
}

class Composed : public ::testing::TestWithParam<std::tuple<Kind, std::string>> {
 protected:
  static std::string method() { return std::get<1>(GetParam()); }

  /// The same every time.
  static TrainingCase make() {
    const Backbone backbone = std::get<0>(GetParam()) == Kind::transformer
                                  ? small_transformer()
                                  : test_backbone("resnet14", 2);
    OptionSet options;
    Plan plan = find_method(method()).plan(backbone, default_partition(backbone, 4), options,
                                           composition_seed);
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
    options.seed = composition_seed;
    return options;
  }
};

TEST_P(Composed, GradientsEqualThoseOfEveryWindowByItself) {
  const auto [backbone, plan, images, labels] = make();
  const NaiveResult naive = naive_gradients(backbone, plan, images, labels, composition_seed, 0);
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
  expect_recomputation_is_exact(make, options(), method());
}

std::vector<std::string> all_methods() {
  auto names = method_registry().names();
  for (const char* more : {"dgl+mlm", "dgl+mlm+lam", "predsim+lam", "predsim+mlm+lam",
                           "infopro+mlm+lam", "infopro+mlm+man", "auglocal+mlm", "dgl+man"}) {
    names.emplace_back(more);
  }
  return names;
}

std::string case_name(const ::testing::TestParamInfo<std::tuple<Kind, std::string>>& info) {
  const auto& [kind, method] = info.param;
  std::string text = (kind == Kind::transformer ? "transformer_" : "") + method;
  for (char& letter : text) {
    if (letter == '-' || letter == '+') letter = '_';
  }
  return text;
}

INSTANTIATE_TEST_SUITE_P(Methods, Composed,
                         ::testing::Combine(::testing::Values(Kind::convolutional,
                                                              Kind::transformer),
                                            ::testing::ValuesIn(all_methods())),
                         case_name);

}  // namespace
}  // namespace mlaan::testing

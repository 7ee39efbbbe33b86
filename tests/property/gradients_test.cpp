// Random plans over random chains: the engine's gradients are those of running every window alone.
#include "local/operations/backward_module.h"
#include "local/operations/forward_module.h"
#include "support/closeness.h"
#include "support/naive.h"
#include "support/random_chain.h"
#include "support/recomputation.h"

#include <mlaan/local/engine.h>

namespace mlaan::testing {
namespace {

constexpr std::uint64_t gradient_seed = 11;
constexpr int gradient_cases = 60;

/// Steps of plain descent with rate 1 show the gradients, also where they are dropped at once.
OptimizerFactory plain_descent() {
  SgdOptions options;
  options.lr = 1;
  options.momentum = 0;
  options.weight_decay = 0;
  options.nesterov = false;
  return sgd(options);
}

EngineOptions engine_options(bool fused_update, bool reference_kernels = false) {
  EngineOptions options;
  options.reference_kernels = reference_kernels;
  options.seed = gradient_seed;
  options.fused_update = fused_update;
  options.optimizer = plain_descent();
  return options;
}

/// Gradients that would be zero but for rounding (a bias ahead of a batch normalisation) are
/// measured against a thousandth of the largest of all.
double scale_of(const NaiveResult& naive) {
  double largest = 0;
  for (const auto& [name, gradient] : naive.gradients) {
    largest = std::max(largest, gradient.abs().max().item<double>());
  }
  return 1e-3 * largest;
}

void expect_gradients(const TrainingCase& random, const NaiveResult& naive, double tolerance,
                      const std::function<torch::Tensor(const NamedTensor&)>& gradient_of,
                      const std::vector<NamedTensor>& parameters, std::uint64_t key) {
  ASSERT_EQ(parameters.size(), naive.gradients.size());
  const double scale = scale_of(naive);
  for (const auto& named : parameters) {
    const torch::Tensor& expected = naive.gradients.at(named.name);
    const torch::Tensor gradient = gradient_of(named);
    const torch::Tensor actual = gradient.defined() ? gradient : torch::zeros_like(expected);
    const double largest = std::max(expected.abs().max().item<double>(), scale);
    EXPECT_LE((actual - expected).abs().max().item<double>(), tolerance * largest)
        << "case " << key << ", " << named.name;
  }
  ASSERT_FALSE(random.plan.supervisions.empty());
}

struct Arithmetic {
  torch::Dtype type;
  bool reference_kernels;
};

class RandomPlans : public ::testing::TestWithParam<Arithmetic> {
 protected:
  static torch::Dtype type() { return GetParam().type; }
  static EngineOptions options(bool fused_update) {
    return engine_options(fused_update, GetParam().reference_kernels);
  }
  static double tolerance() { return type() == torch::kFloat64 ? 1e-10 : 1e-3; }
};

TEST_P(RandomPlans, GradientsEqualThoseOfEveryWindowByItself) {
  for (std::uint64_t key = 0; key < gradient_cases; ++key) {
    const TrainingCase random = random_case(key, type());
    const NaiveResult naive = naive_gradients(random.backbone, random.plan, random.images,
                                              random.labels, gradient_seed, 0);
    Engine engine(random.backbone, random.plan, options(false));
    const StepResult result = engine.accumulate(random.images, random.labels);
    expect_gradients(
        random, naive, tolerance(), [](const NamedTensor& named) { return named.tensor.grad(); },
        engine.named_parameters(), key);
    std::size_t next = 0;
    for (std::size_t s = 0; s < random.plan.supervisions.size(); ++s) {
      const double loss = result.losses[static_cast<std::int64_t>(s)].item<double>();
      if (random.plan.supervisions[s].weight == 0) {
        EXPECT_TRUE(std::isnan(loss));
      } else {
        EXPECT_NEAR(loss, naive.losses.at(next++), 10 * tolerance());
      }
    }
    for (const auto& named : engine.named_buffers()) {
      if (!named.tensor.is_floating_point()) continue;
      expect_close(named.tensor, naive.buffers.at(named.name), tolerance(),
                   "case " + std::to_string(key) + ", " + named.name);
    }
  }
}

TEST_P(RandomPlans, GradientsForProbabilitiesEqualThoseOfEveryWindowByItself) {
  for (std::uint64_t key = 0; key < gradient_cases / 3; ++key) {
    TrainingCase random = random_case(key, type());
    random.labels =
        torch::randn({random.labels.size(0), random.backbone.classes()}, type()).softmax(1);
    const NaiveResult naive = naive_gradients(random.backbone, random.plan, random.images,
                                              random.labels, gradient_seed, 0);
    Engine engine(random.backbone, random.plan, options(false));
    engine.accumulate(random.images, random.labels);
    expect_gradients(
        random, naive, tolerance(), [](const NamedTensor& named) { return named.tensor.grad(); },
        engine.named_parameters(), key);
  }
}

TEST_P(RandomPlans, FusedUpdatesUseTheSameGradients) {
  for (std::uint64_t key = 0; key < gradient_cases; ++key) {
    const TrainingCase random = random_case(key, type());
    const NaiveResult naive = naive_gradients(random.backbone, random.plan, random.images,
                                              random.labels, gradient_seed, 0);
    Engine engine(random.backbone, random.plan, options(true));
    std::map<std::string, torch::Tensor> before;
    for (const auto& named : engine.named_parameters()) {
      before[named.name] = named.tensor.detach().clone();
    }
    engine.step(random.images, random.labels);
    expect_gradients(
        random, naive, 10 * tolerance(),
        [&](const NamedTensor& named) { return before.at(named.name) - named.tensor.detach(); },
        engine.named_parameters(), key);
    for (const auto& named : engine.named_parameters()) {
      EXPECT_FALSE(named.tensor.grad().defined()) << named.name << " keeps its gradient";
    }
  }
}

std::string name_of(const ::testing::TestParamInfo<Arithmetic>& arithmetic) {
  const std::string type = arithmetic.param.type == torch::kFloat64 ? "float64" : "float32";
  return type + (arithmetic.param.reference_kernels ? "_by_reference" : "");
}

INSTANTIATE_TEST_SUITE_P(Arithmetic, RandomPlans,
                         ::testing::Values(Arithmetic{torch::kFloat64, false},
                                           Arithmetic{torch::kFloat32, false},
                                           Arithmetic{torch::kFloat64, true}),
                         name_of);

TEST(RandomPlans, FusedAndLateUpdatesTrainTheSameNetworkBitForBit) {
  for (std::uint64_t key = 0; key < gradient_cases; ++key) {
    std::vector<std::vector<NamedTensor>> trained;
    for (const bool fused : {false, true}) {
      const TrainingCase random = random_case(key, torch::kFloat32);
      EngineOptions options = engine_options(fused);
      options.optimizer = sgd();
      Engine engine(random.backbone, random.plan, options);
      for (int step = 0; step < 3; ++step) engine.step(random.images, random.labels);
      trained.push_back(engine.named_parameters());
    }
    for (std::size_t i = 0; i < trained[0].size(); ++i) {
      expect_same(trained[1][i].tensor, trained[0][i].tensor,
                  "case " + std::to_string(key) + ", " + trained[0][i].name);
    }
  }
}

TEST(RandomPlans, RecomputationIsExactBitForBit) {
  for (std::uint64_t key = 0; key < gradient_cases; ++key) {
    EngineOptions options = engine_options(true);
    options.optimizer = sgd();
    expect_recomputation_is_exact([key] { return random_case(key, torch::kFloat32); }, options,
                                  "case " + std::to_string(key));
  }
}

TEST(RandomPlans, EveryModuleRunsForwardOnceAndEveryGraphIsFreed) {
  for (std::uint64_t key = 0; key < gradient_cases; ++key) {
    TrainingCase random = random_case(key, torch::kFloat32);
    random.plan.recompute.clear();
    random.plan.recompute_nets.clear();
    Engine engine(random.backbone, random.plan, engine_options(true));
    std::vector<int> forwards(random.plan.partition.size(), 0);
    std::vector<int> live(random.plan.partition.size(), 0);
    for (const auto& operation : engine.schedule().operations) {
      const std::size_t module = operation->module();
      if (const auto* forward = dynamic_cast<const ForwardModule*>(operation.get())) {
        ++forwards[module];
        live[module] = forward->keep() == Keep::nothing ? 0 : 1;
      } else if (const auto* backward = dynamic_cast<const BackwardModule*>(operation.get())) {
        EXPECT_EQ(live[module], 1) << "a product after the graph was freed";
        if (backward->settings().last) live[module] = 0;
      } else {
        EXPECT_NE(operation->activity(), Activity::recompute);
      }
    }
    for (std::size_t j = 0; j < forwards.size(); ++j) {
      EXPECT_EQ(forwards[j], 1);
      EXPECT_EQ(live[j], 0) << "module " << j << " is never freed";
    }
  }
}

}  // namespace
}  // namespace mlaan::testing

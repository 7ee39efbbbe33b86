// Whatever is registered works together: every backbone takes a step by every method, with its
// activations kept and recomputed, or is refused with a reason that is listed here.
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/nn/backbones.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

constexpr std::int64_t images = 2;
/// Larger backbones have smaller ones of the same make beside them.
constexpr std::int64_t most_parameters = 12'000'000;
/// Networks this small take a step with every kind of recomputation, others with one each.
constexpr std::int64_t few_parameters = 200'000;

const std::vector<std::string> recompute_settings{"none", "activation", "module", "unit"};

/// Why a backbone cannot be trained by a method, as the refusal says it.
const std::map<std::pair<std::string, std::string>, std::string> refusals{};

std::int64_t count_parameters(const Backbone& backbone) {
  std::int64_t count = 0;
  for (const auto& named : backbone.named_parameters()) count += named.tensor.numel();
  return count;
}

void step(const std::string& model, const MethodEntry& method, const std::string& recompute) {
  const Backbone backbone = test_backbone(model, 1);
  const Partition partition =
      default_partition(backbone, std::min<std::size_t>(3, backbone.size()));
  OptionSet options;
  Plan plan = method.plan(backbone, partition, options, 1);
  set_recompute(plan, parse_recompute(recompute));
  Engine engine(backbone, plan);
  torch::manual_seed(3);
  const StepResult result =
      engine.step(torch::rand({images, 3, 32, 32}), torch::arange(images, torch::kInt64));
  EXPECT_EQ(result.logits.sizes(), torch::IntArrayRef({images, 10}));
  for (std::size_t s = 0; s < engine.plan().supervisions.size(); ++s) {
    const auto& supervision = engine.plan().supervisions[s];
    if (supervision.weight == 0 || supervision.probability < 1) continue;
    EXPECT_TRUE(std::isfinite(result.losses[static_cast<std::int64_t>(s)].item<double>()))
        << "loss of " << supervision.name << " at module " << supervision.last + 1;
  }
}

class Conformance : public ::testing::TestWithParam<std::string> {};

TEST_P(Conformance, OfABackboneWithEveryMethod) {
  const std::string model = GetParam();
  const std::int64_t parameters = count_parameters(test_backbone(model, 1));
  if (parameters > most_parameters) {
    GTEST_SKIP() << model << " is too large for a test; its smaller siblings are not";
  }
  std::size_t turn = 0;
  for (const auto& method : method_registry().entries()) {
    if (method.phases) continue;
    std::vector<std::string> settings = recompute_settings;
    if (parameters > few_parameters) settings = {recompute_settings[turn++ % settings.size()]};
    const auto refusal = refusals.find({model, method.name});
    for (const auto& recompute : settings) {
      SCOPED_TRACE(model + " by " + method.name + ", recomputation: " + recompute);
      try {
        step(model, method, recompute);
        EXPECT_EQ(refusal, refusals.end()) << "it is not refused any more";
      } catch (const UserError& error) {
        ASSERT_NE(refusal, refusals.end()) << error.what();
        EXPECT_NE(std::string(error.what()).find(refusal->second), std::string::npos)
            << error.what();
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registered, Conformance, ::testing::ValuesIn(backbone_registry().names()),
                         [](const auto& model) { return model.param; });

}  // namespace
}  // namespace mlaan::testing

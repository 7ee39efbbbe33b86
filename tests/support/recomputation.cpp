// Recomputation changes when activations are there, and nothing else.
#include "support/recomputation.h"

#include "support/closeness.h"

#include <mlaan/local/recompute.h>

namespace mlaan::testing {
namespace {

std::vector<NamedTensor> trained(TrainingCase some, Recompute recompute,
                                 const EngineOptions& options) {
  some.plan.recompute.clear();
  some.plan.recompute_nets.clear();
  set_recompute(some.plan, recompute);
  Engine engine(some.backbone, some.plan, options);
  for (int step = 0; step < 3; ++step) engine.step(some.images, some.labels);
  std::vector<NamedTensor> tensors = engine.named_parameters();
  for (auto& named : engine.named_buffers()) tensors.push_back(named);
  return tensors;
}

}  // namespace

void expect_recomputation_is_exact(const std::function<TrainingCase()>& make,
                                   const EngineOptions& options, const std::string& what) {
  const auto expected = trained(make(), Recompute::none, options);
  for (const auto recompute : {Recompute::activations, Recompute::module, Recompute::units}) {
    const auto actual = trained(make(), recompute, options);
    ASSERT_EQ(actual.size(), expected.size()) << what;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      expect_same(actual[i].tensor, expected[i].tensor,
                  what + ", recomputation " + std::to_string(static_cast<int>(recompute)) + ", " +
                      expected[i].name);
    }
  }
}

}  // namespace mlaan::testing

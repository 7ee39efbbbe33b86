// MAN on ResNet-32 in 8 modules against the published code's step.
#include "reference/reference_step.h"
#include "support/closeness.h"

#include <mlaan/local/methods/man.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>

namespace mlaan::testing {
namespace {

/// "aux.3.local.trunk.block.0.twin.conv1.weight" → "aux.3.ema.conv1.weight".
std::string man_name(const std::string& name) {
  std::string result = replaced(name, "local.trunk.block.0.copy.", "bias.");
  result = replaced(result, "local.trunk.block.0.twin.", "ema.");
  return head_and_decoder_name(result);
}

Plan published_man(const Backbone& backbone) {
  InfoproOptions host;
  host.lambda1_first = host.lambda1_last = 2;
  host.lambda2_first = host.lambda2_last = 0.5;
  return methods::man(backbone, default_partition(backbone, 8), {}, host);
}

class ManReference : public ::testing::TestWithParam<torch::Dtype> {};

TEST_P(ManReference, StepOfResNet32In8Modules) {
  MLAAN_REFERENCE_OR_SKIP(file, "man-resnet32-k8");
  const Backbone backbone = reference_backbone();
  expect_reference_step(*file, backbone, published_man(backbone), man_name, head_and_decoder_loss,
                        GetParam());
}

INSTANTIATE_TEST_SUITE_P(Types, ManReference, both_types(), type_name);

TEST(ManReference, TwinsAfterTheStepAreThoseOfThePublishedCode) {
  MLAAN_REFERENCE_OR_SKIP(file, "man-resnet32-k8");
  const Backbone backbone = reference_backbone();
  const Plan plan = published_man(backbone);
  Engine engine(backbone, plan);
  set_reference_weights(*file, engine.named_parameters(), man_name);
  // No optimizer has touched the units that the file's twins move towards.
  update(plan.averages);
  std::size_t compared = 0;
  for (const auto& named : engine.named_parameters()) {
    const torch::Tensor expected = file->find(
        "after." + (named.name.compare(0, 4, "aux.") == 0 ? man_name(named.name) : "none"));
    if (!expected.defined()) continue;
    expect_close(named.tensor, expected, 1e-6, named.name);
    ++compared;
  }
  EXPECT_EQ(compared, count_of(*file, "after.aux."));
  EXPECT_GT(compared, 0U);
}

}  // namespace
}  // namespace mlaan::testing

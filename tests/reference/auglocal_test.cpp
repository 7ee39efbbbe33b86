// AugLocal on ResNet-32, depth 2, against the published code's step.
#include "reference/reference_step.h"

#include <mlaan/local/methods/auglocal.h>
#include <mlaan/local/published.h>

namespace mlaan::testing {
namespace {

/// The blocks come first in the code's list, then pooling, flattening and the linear layer.
std::string auglocal_name(const std::string& name) {
  return replaced(replaced(name, "local.block.", "classifier.head."), "local.fc.",
                  "classifier.head.4.");
}

class AuglocalReference : public ::testing::TestWithParam<torch::Dtype> {};

TEST_P(AuglocalReference, StepOfResNet32OfDepth2) {
  MLAAN_REFERENCE_OR_SKIP(file, "auglocal-resnet32-d2");
  const Backbone backbone = reference_backbone();
  const Plan plan = methods::auglocal(backbone, default_partition(backbone, 16));
  EXPECT_EQ(plan.partition.size(), 14U);
  expect_reference_step(*file, backbone, plan, auglocal_name, classifier_loss, GetParam(),
                        /*float32_share=*/0.5);
}

INSTANTIATE_TEST_SUITE_P(Types, AuglocalReference, both_types(), type_name);

}  // namespace
}  // namespace mlaan::testing

// DGL on ResNet-32 in 16 modules against the published code's step.
#include "reference/reference_step.h"

#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>

namespace mlaan::testing {
namespace {

/// "aux.3.local.fc2.bias" → "aux.3.classifier.head.7.bias": by position in the code's list of
/// layers.
std::string dgl_name(const std::string& name) {
  std::string result = replaced(name, ".local.", ".classifier.head.");
  result = replaced(result, "conv1.", "0.");
  result = replaced(result, "bn1.", "1.");
  result = replaced(result, "fc1.", "5.");
  return replaced(result, "fc2.", "7.");
}

class DglReference : public ::testing::TestWithParam<torch::Dtype> {};

TEST_P(DglReference, StepOfResNet32In16Modules) {
  MLAAN_REFERENCE_OR_SKIP(file, "dgl-resnet32-k16");
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  const Plan plan = methods::dgl(backbone, default_partition(backbone, 16));
  expect_reference_step(*file, backbone, plan, dgl_name, classifier_loss, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Types, DglReference, both_types(), type_name);

}  // namespace
}  // namespace mlaan::testing

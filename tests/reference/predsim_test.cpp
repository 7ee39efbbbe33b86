// PredSim on ResNet-32 in 16 modules against the published code's step.
#include "reference/reference_step.h"

#include <mlaan/local/methods/predsim.h>
#include <mlaan/local/published.h>

namespace mlaan::testing {
namespace {

std::string predsim_name(const std::string& name) {
  return replaced(replaced(name, "local.classifier.fc.", "classifier.head.2."),
                  "local.similarity.filter1.", "similarity.decoder.0.");
}

class PredsimReference : public ::testing::TestWithParam<torch::Dtype> {};

TEST_P(PredsimReference, StepOfResNet32In16Modules) {
  MLAAN_REFERENCE_OR_SKIP(file, "predsim-resnet32-k16");
  const Backbone backbone = reference_backbone();
  PredsimOptions options;
  options.features = 2048;
  const Plan plan = methods::predsim(backbone, default_partition(backbone, 16), options);
  expect_reference_step(*file, backbone, plan, predsim_name, head_and_decoder_loss, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Types, PredsimReference, both_types(), type_name);

}  // namespace
}  // namespace mlaan::testing

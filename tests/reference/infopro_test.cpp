// InfoPro on ResNet-32, with either of its task losses, against the published code's step.
#include "reference/reference_step.h"

#include <mlaan/local/methods/infopro.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>

namespace mlaan::testing {
namespace {

class InfoproReference : public ::testing::TestWithParam<torch::Dtype> {};

TEST_P(InfoproReference, CrossEntropyStepOfResNet32In16Modules) {
  MLAAN_REFERENCE_OR_SKIP(file, "infopro-softmax-resnet32-k16");
  const Backbone backbone = reference_backbone();
  InfoproOptions options;
  options.lambda1_first = 5;
  options.lambda1_last = 1;
  options.lambda2_first = 0.5;
  options.lambda2_last = 2;
  const Plan plan = methods::infopro(backbone, default_partition(backbone, 16), options);
  expect_reference_step(*file, backbone, plan, head_and_decoder_name, head_and_decoder_loss,
                        GetParam());
}

TEST_P(InfoproReference, ContrastiveStepOfResNet32In4Modules) {
  MLAAN_REFERENCE_OR_SKIP(file, "infopro-contrast-resnet32-k4");
  const Backbone backbone = reference_backbone();
  InfoproOptions options;
  options.loss = "contrast";
  options.lambda1_first = 10;
  options.lambda1_last = 0;
  options.lambda2_first = 1;
  options.lambda2_last = 1;
  const Plan plan = methods::infopro(backbone, default_partition(backbone, 4), options);
  // The third module's decoder has the weight 0: the published code makes it, this one does not.
  const TensorFile without = without_tensors(*file, "aux.3.decoder.");
  expect_reference_step(without, backbone, plan, head_and_decoder_name, head_and_decoder_loss,
                        GetParam(), /*float32_share=*/0.5);
}

INSTANTIATE_TEST_SUITE_P(Types, InfoproReference, both_types(), type_name);

}  // namespace
}  // namespace mlaan::testing

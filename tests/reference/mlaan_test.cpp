// MLAAN on ResNet-32 in 8 modules against the published code's step.
#include "reference/reference_step.h"
#include "support/closeness.h"

#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>

namespace mlaan::testing {
namespace {

/// "aux.3.cascaded.leap.0.twin.conv1.weight" → "aux.3.cascaded.ema.0.conv1.weight".
std::string mlaan_name(const std::string& name) {
  return replaced(replaced(name, "leap.0.copy.", "leap.0."), "leap.0.twin.", "ema.0.");
}

std::string mlaan_loss(const Supervision& supervision) {
  return loss_of(supervision, supervision.name);
}

Plan published_mlaan(const Backbone& backbone) {
  methods::MlaanOptions options;
  options.mlm.published_code = true;
  return methods::mlaan(backbone, default_partition(backbone, 8), options);
}

class MlaanReference : public ::testing::TestWithParam<torch::Dtype> {};

TEST_P(MlaanReference, StepOfResNet32In8Modules) {
  MLAAN_REFERENCE_OR_SKIP(file, "mlaan-resnet32-k8");
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  expect_reference_step(*file, backbone, published_mlaan(backbone), mlaan_name, mlaan_loss,
                        GetParam());
}

INSTANTIATE_TEST_SUITE_P(Types, MlaanReference, both_types(), type_name);

TEST(MlaanReference, InContiguousLayoutFloat32IsAsNearAsThePublishedCodes) {
  MLAAN_REFERENCE_OR_SKIP(file, "mlaan-resnet32-k8");
  const Backbone backbone = make_backbone("resnet32", 10, {3, 32, 32}, 0);
  expect_reference_step(*file, backbone, published_mlaan(backbone), mlaan_name, mlaan_loss,
                        torch::kFloat32, /*float32_share=*/0.89, torch::MemoryFormat::Contiguous);
}

TEST(MlaanReference, TwinsFollowTheirUnitsAfterEveryUpdate) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 3);
  const Plan plan = methods::mlaan(backbone, default_partition(backbone, 0));
  ASSERT_FALSE(plan.averages.empty());
  Engine engine(backbone, plan);
  std::vector<std::vector<torch::Tensor>> before;
  for (const auto& link : plan.averages) {
    before.emplace_back();
    for (const auto& tensor : link.average) before.back().push_back(tensor.detach().clone());
  }
  engine.step(torch::randn({4, 3, 32, 32}), torch::zeros({4}, torch::kInt64));
  for (std::size_t a = 0; a < plan.averages.size(); ++a) {
    const auto& link = plan.averages[a];
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      const torch::Tensor expected = 0.995 * before[a][i] + 0.005 * link.source[i].detach();
      expect_close(link.average[i], expected, 1e-6, "a twin");
      EXPECT_FALSE(torch::equal(link.average[i], before[a][i])) << "a twin did not move";
    }
  }
}

}  // namespace
}  // namespace mlaan::testing

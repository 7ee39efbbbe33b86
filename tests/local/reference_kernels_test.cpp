// Whether layers are told to compute by LibTorch's own operators, wherever they run.
#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/partition.h>
#include <mlaan/local/recompute.h>
#include <mlaan/nn/gradient_node.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

using Noted = std::vector<bool>;

/// A linear layer that notes how it is to compute.
struct NotingLinearImpl : torch::nn::Module {
  explicit NotingLinearImpl(std::shared_ptr<Noted> notes) : noted(std::move(notes)) {
    linear = register_module("linear", torch::nn::Linear(6, 6));
  }
  torch::Tensor forward(const torch::Tensor& input) {
    noted->push_back(ReferenceKernelsScope::active());
    return linear(input);
  }

  std::shared_ptr<Noted> noted;
  torch::nn::Linear linear{nullptr};
};
TORCH_MODULE(NotingLinear);

TEST(ReferenceKernels, AreUsedInStepsAndPredictionsWhereAsked) {
  for (const bool asked : {false, true}) {
    for (const std::string recompute : {"none", "module", "unit"}) {
      const auto noted = std::make_shared<Noted>();
      const Backbone backbone(
          "noting", {Unit("first", NotingLinear(noted)), Unit("second", NotingLinear(noted))},
          {Unit("head", NotingLinear(noted))}, {6});
      Plan plan =
          find_method("dgl").plan(backbone, Partition::uniform(backbone, 2), OptionSet(), 0);
      set_recompute(plan, parse_recompute(recompute));
      EngineOptions options;
      options.reference_kernels = asked;
      Engine engine(backbone, plan, options);
      noted->clear();
      engine.step(torch::randn({4, 6}), torch::arange(4));
      // Modules run once more; by units, so does the head's.
      const std::size_t times = recompute == "none" ? 3 : recompute == "module" ? 5 : 6;
      EXPECT_EQ(noted->size(), times) << recompute;
      engine.predict(torch::randn({4, 6}));
      EXPECT_TRUE(std::all_of(noted->begin(), noted->end(), [&](bool reference) {
        return reference == asked;
      })) << recompute;
      EXPECT_FALSE(ReferenceKernelsScope::active());
    }
  }
}

TEST(ReferenceKernels, LeaveNoNodeOfOursInTheGraph) {
  torch::nn::BatchNorm2d normalisation(3);
  const auto maps = torch::randn({2, 3, 4, 4}).requires_grad_(true);
  const auto is_ours = [&] {
    const auto output = norm_relu(normalisation, maps);
    return dynamic_cast<GradientNode*>(output.grad_fn().get()) != nullptr;
  };
  EXPECT_TRUE(is_ours());
  const ReferenceKernelsScope kernels(true);
  EXPECT_FALSE(is_ours());
}

}  // namespace
}  // namespace mlaan::testing

#include "local/recomputed_unit.h"

#include "support/closeness.h"

#include <mlaan/measure/memory.h>
#include <mlaan/nn/layers/residual_blocks.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

/// A block, run on maps whose channels lie last.
class RecomputedBlock : public ::testing::Test {
 protected:
  struct Gradients {
    std::vector<torch::Tensor> tensors;
    std::int64_t peak = 0;  ///< bytes of the backward pass above those at its start
  };

  /// Those of the input and of all parameters.
  /// \param meanwhile done to the output between the two passes.
  Gradients gradients(torch::Tensor output,
                      const std::function<void(torch::Tensor& output)>& meanwhile) const {
    // Keeps nothing of what it multiplies.
    const torch::Tensor doubled = output * 2;
    meanwhile(output);
    std::vector<torch::Tensor> sources{input};
    for (const auto& named : unit.named_parameters()) sources.push_back(named.tensor);
    measure::reset_peak(torch::kCPU);
    const auto before = measure::read_memory(torch::kCPU).live;
    Gradients found;
    found.tensors = torch::autograd::grad({doubled}, sources, {cotangent});
    found.peak = measure::read_memory(torch::kCPU).peak - before;
    return found;
  }

  void expect_same_gradients(const Gradients& actual, const std::string& what) const {
    const auto expected = gradients(unit.forward(input), [](torch::Tensor&) {});
    ASSERT_EQ(actual.tensors.size(), expected.tensors.size());
    for (std::size_t i = 0; i < actual.tensors.size(); ++i) {
      expect_same(actual.tensors[i], expected.tensors[i], what + ", gradient " + std::to_string(i));
    }
  }

  static torch::Tensor maps() {
    return torch::randn({4, 16, 24, 24}).contiguous(torch::MemoryFormat::ChannelsLast);
  }

  Unit unit{"block", BasicBlock(16, 16, 1)};
  torch::Tensor input = maps().requires_grad_(true);
  torch::Tensor cotangent = maps();
};

TEST_F(RecomputedBlock, GradientsAreTheSameBitsWhateverBecomesOfTheOutput) {
  const auto held = gradients(run_recomputed(unit, input), [](torch::Tensor&) {});
  expect_same_gradients(held, "held");
  const auto dropped = gradients(run_recomputed(unit, input),
                                 [](torch::Tensor& output) { output = torch::Tensor(); });
  expect_same_gradients(dropped, "dropped");
  EXPECT_LT(held.peak, dropped.peak);
  const auto changed =
      gradients(run_recomputed(unit, input), [](torch::Tensor& output) { output.detach().neg_(); });
  expect_same_gradients(changed, "changed");
}

}  // namespace
}  // namespace mlaan::testing

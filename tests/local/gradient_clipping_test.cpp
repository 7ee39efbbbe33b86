#include "local/gradient_clipping.h"

#include "support/closeness.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

std::vector<torch::Tensor> some_gradients() {
  torch::manual_seed(3);
  return {torch::randn({4, 3, 2, 2}).contiguous(torch::MemoryFormat::ChannelsLast),
          torch::randn({7}), torch::randn({})};
}

double norm_of(const std::vector<torch::Tensor>& tensors) {
  double squares = 0;
  for (const auto& tensor : tensors) {
    squares += tensor.to(torch::kFloat64).square().sum().item<double>();
  }
  return std::sqrt(squares);
}

TEST(ClipNorm, IsTorchsClipGradNorm) {
  for (const double highest : {0.5, 100.0}) {
    const auto gradients = some_gradients();
    std::vector<torch::Tensor> parameters;
    for (const auto& gradient : some_gradients()) {
      parameters.push_back(torch::zeros_like(gradient).requires_grad_(true));
      parameters.back().mutable_grad() = gradient;
    }
    torch::nn::utils::clip_grad_norm_(parameters, highest);
    clip_norm(gradients, highest);
    for (std::size_t i = 0; i < gradients.size(); ++i) {
      expect_close(gradients[i], parameters[i].grad(), 1e-6, std::to_string(highest));
    }
    EXPECT_NEAR(norm_of(gradients), std::min(highest, norm_of(some_gradients())), 1e-5);
  }
  EXPECT_NO_THROW(clip_norm({}, 1));
  const auto zeros = torch::zeros({3});
  clip_norm({zeros}, 1);
  expect_same(zeros, torch::zeros({3}), "no gradient at all");
}

TEST(ClipNorm, TakesGradientsOfSeveralTypes) {
  const auto single = torch::full({3}, 2.0F);
  const auto whole = torch::full({1}, 2.0, torch::kFloat64);
  clip_norm({single, whole}, 1);
  expect_close(single, torch::full({3}, 0.5F), 1e-5, "float32");
  expect_close(whole, torch::full({1}, 0.5, torch::kFloat64), 1e-5, "float64");
}

/// How an engine is asked to clip.
struct Way {
  std::string name;
  EngineOptions options;
};

std::vector<Way> ways() {
  EngineOptions plain;
  // A step of which the parameter moves by as much as its gradient.
  plain.optimizer = sgd({1, 0, 0, false});
  std::vector<Way> ways{{"fused", plain}, {"at the end", plain}, {"scaled", plain}};
  ways[1].options.fused_update = false;
  ways[2].options.loss_scale.emplace();
  return ways;
}

using Movements = std::vector<std::vector<torch::Tensor>>;

/// How far a step takes the parameters of each part.
Movements movements_of_step(const Plan& plan, const Backbone& backbone,
                            const EngineOptions& options) {
  Engine engine(backbone, plan, options);
  std::vector<std::vector<torch::Tensor>> before;
  for (const auto& part : engine.parts()) {
    before.emplace_back();
    for (const auto& named : part.parameters) {
      before.back().push_back(named.tensor.detach().clone());
    }
  }
  torch::manual_seed(7);
  engine.step(torch::randn({8, 3, 32, 32}), torch::arange(8));
  Movements movements;
  for (std::size_t p = 0; p < before.size(); ++p) {
    movements.emplace_back();
    for (std::size_t i = 0; i < before[p].size(); ++i) {
      movements.back().push_back(before[p][i] - engine.parts()[p].parameters[i].tensor.detach());
    }
  }
  return movements;
}

Plan plan_of(const std::string& method, const Backbone& backbone) {
  const auto partition = default_partition(backbone, 3);
  return method == "e2e" ? methods::e2e(backbone, partition) : methods::dgl(backbone, partition);
}

Movements movements_of(const std::string& method, EngineOptions options, double clip) {
  options.clip_grad = clip;
  const Backbone backbone = test_backbone("resnet8", 1);
  return movements_of_step(plan_of(method, backbone), backbone, options);
}

TEST(ClipGrad, IsOfEachModuleAndEachNetByItself) {
  constexpr double highest = 0.2;
  for (const auto& [name, options] : ways()) {
    for (const std::int64_t micro_batches : {1, 2}) {
      EngineOptions cut = options;
      cut.micro_batches = micro_batches;
      const auto whole = movements_of("dgl", cut, 0);
      const auto clipped = movements_of("dgl", cut, highest);
      int shortened = 0;
      for (std::size_t p = 0; p < whole.size(); ++p) {
        const double norm = norm_of(whole[p]);
        const double factor = std::min(1.0, highest / norm);
        shortened += factor < 1 ? 1 : 0;
        EXPECT_NEAR(norm_of(clipped[p]), norm * factor, 1e-3 * norm) << name << ", part " << p;
        for (std::size_t i = 0; i < whole[p].size(); ++i) {
          EXPECT_TRUE(torch::allclose(clipped[p][i], whole[p][i] * factor, 1e-3, 1e-6))
              << name << ", part " << p << ", parameter " << i;
        }
      }
      EXPECT_GE(shortened, 4) << "what the test would see";
    }
  }
}

TEST(ClipGrad, IsOfEverythingTogetherInEndToEndTraining) {
  constexpr double highest = 0.3;
  for (const auto& [name, options] : ways()) {
    const auto whole = movements_of("e2e", options, 0);
    const auto clipped = movements_of("e2e", options, highest);
    std::vector<torch::Tensor> all;
    for (const auto& part : whole) all.insert(all.end(), part.begin(), part.end());
    const double factor = highest / norm_of(all);
    ASSERT_LT(factor, 0.9) << "what the test would see";
    for (std::size_t p = 0; p < whole.size(); ++p) {
      for (std::size_t i = 0; i < whole[p].size(); ++i) {
        EXPECT_TRUE(torch::allclose(clipped[p][i], whole[p][i] * factor, 1e-3, 1e-6))
            << name << ", part " << p << ", parameter " << i;
      }
    }
  }
}

TEST(ClipGrad, ChangesNothingWhereNoNormIsHigher) {
  for (const std::string method : {"dgl", "e2e"}) {
    const auto whole = movements_of(method, ways()[0].options, 0);
    const auto clipped = movements_of(method, ways()[0].options, 1e6);
    for (std::size_t p = 0; p < whole.size(); ++p) {
      for (std::size_t i = 0; i < whole[p].size(); ++i) {
        expect_same(clipped[p][i], whole[p][i], method);
      }
    }
  }
}

TEST(ClipGrad, LeavesGradientsThatOthersHoldAlone) {
  for (const bool with_scale : {false, true}) {
    EngineOptions options;
    options.clip_grad = with_scale ? 0 : 1e-3;
    if (with_scale) options.loss_scale.emplace();
    const Backbone backbone = test_backbone("resnet8", 1);
    Engine engine(backbone, plan_of("dgl", backbone), options);
    engine.accumulate(torch::randn({4, 3, 32, 32}), torch::arange(4));
    std::vector<torch::Tensor> held;
    std::vector<torch::Tensor> copies;
    for (const auto& named : backbone.named_parameters()) {
      held.push_back(named.tensor.grad());
      copies.push_back(held.back().clone());
    }
    engine.update();
    for (std::size_t i = 0; i < held.size(); ++i) expect_same(held[i], copies[i], "a gradient");
  }
}

TEST(BeforeUpdate, SeesClippedGradientsThatItMayChange) {
  constexpr double highest = 0.2;
  for (auto& [name, options] : ways()) {
    std::vector<std::string> parts;
    options.before_update = [&parts](const TrainedPart& part) {
      std::vector<torch::Tensor> gradients;
      for (const auto& named : part.parameters) gradients.push_back(named.tensor.grad());
      EXPECT_LE(norm_of(gradients), 1.001 * highest) << part.name;
      for (auto& gradient : gradients) gradient.mul_(2);
      parts.push_back(part.name);
    };
    const auto doubled = movements_of("dgl", options, highest);
    options.before_update = nullptr;
    const auto clipped = movements_of("dgl", options, highest);
    EXPECT_EQ(parts.size(), clipped.size()) << name;
    for (std::size_t p = 0; p < clipped.size(); ++p) {
      for (std::size_t i = 0; i < clipped[p].size(); ++i) {
        EXPECT_TRUE(torch::allclose(doubled[p][i], 2 * clipped[p][i], 1e-3, 1e-6))
            << name << ", part " << p << ", parameter " << i;
      }
    }
  }
}

TEST(ClipGrad, KnowsWhatIsTrainedAsOne) {
  const Backbone backbone = test_backbone("resnet8", 1);
  EXPECT_TRUE(is_trained_as_one(plan_of("e2e", backbone)));
  Plan plan = plan_of("dgl", backbone);
  EXPECT_FALSE(is_trained_as_one(plan));
  plan.supervisions[0].weight = 0;
  EXPECT_FALSE(is_trained_as_one(plan));
}

}  // namespace
}  // namespace mlaan::testing

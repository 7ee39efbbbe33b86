// Training while somebody else holds every tensor on its way: nothing is written over that is seen.
#include "support/closeness.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

using Held = std::vector<torch::Tensor>;

/// A unit that notes what it is given, what it gives, and the gradient of that.
struct WatchedUnitImpl : torch::nn::Module {
  WatchedUnitImpl(Unit watched, std::shared_ptr<Held> held)
      : unit(std::move(watched)), notes(std::move(held)) {
    for (std::size_t i = 0; i < unit.layers().size(); ++i) {
      register_module("layer" + std::to_string(i), unit.layers()[i].module.ptr());
    }
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor output = unit.forward(input);
    if (!notes) return output;
    notes->push_back(input);
    notes->push_back(output);
    if (output.requires_grad()) {
      output.register_hook(
          [held = notes](const torch::Tensor& gradient) { held->push_back(gradient); });
    }
    return output;
  }

  std::shared_ptr<torch::nn::Module> clone(
      const c10::optional<torch::Device>& = c10::nullopt) const override {
    return std::make_shared<WatchedUnitImpl>(unit.clone(unit.name()), notes);
  }

  Unit unit;
  std::shared_ptr<Held> notes;  ///< null: nothing is held
};
TORCH_MODULE(WatchedUnit);

Backbone watched(const Backbone& backbone, const std::shared_ptr<Held>& held) {
  const auto wrap = [&](const std::vector<Unit>& units) {
    std::vector<Unit> wrapped;
    for (const auto& unit : units) wrapped.emplace_back(unit.name(), WatchedUnit(unit, held));
    return wrapped;
  };
  return Backbone(backbone.name(), wrap(backbone.units()), wrap(backbone.head()->units()),
                  backbone.input_shape(0));
}

/// What two steps by a method come to. Nothing for a method that cannot train such a backbone.
std::optional<std::vector<NamedTensor>> train(const MethodEntry& method,
                                              const std::shared_ptr<Held>& held) {
  const Backbone backbone = watched(test_backbone("resnet8", 1), held);
  std::optional<Plan> plan;
  try {
    plan = method.plan(backbone, Partition::uniform(backbone, 2), OptionSet(), 0);
  } catch (const UserError&) {
    return std::nullopt;
  }
  torch::manual_seed(7);
  const auto images = torch::randn({4, 3, 32, 32});
  Engine engine(backbone, *plan, {});
  std::vector<NamedTensor> results;
  for (int step = 0; step < 2; ++step) {
    const StepResult result = engine.step(images, torch::arange(4));
    results.push_back({"losses", result.losses.nan_to_num()});
    results.push_back({"logits", result.logits});
  }
  for (const auto& all : {engine.named_parameters(), engine.named_buffers()}) {
    results.insert(results.end(), all.begin(), all.end());
  }
  return results;
}

TEST(HeldTensors, ChangeNoResult) {
  int trained = 0;
  for (const auto& method : method_registry().entries()) {
    if (method.phases) continue;
    const auto expected = train(method, nullptr);
    const auto held = std::make_shared<Held>();
    const auto actual = train(method, held);
    ASSERT_EQ(expected.has_value(), actual.has_value());
    if (!expected) continue;
    ++trained;
    EXPECT_GT(held->size(), 20U);
    for (std::size_t i = 0; i < expected->size(); ++i) {
      expect_same((*actual)[i].tensor, (*expected)[i].tensor,
                  method.name + ", " + (*expected)[i].name);
    }
  }
  EXPECT_GE(trained, 8);
}

}  // namespace
}  // namespace mlaan::testing

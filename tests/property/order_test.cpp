// Schedules in random orders: whatever order respects the dependencies gives the same bits.
#include "support/closeness.h"
#include "support/random_chain.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/core/random.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

namespace mlaan::testing {
namespace {

/// An order of the operations in which each comes after those that it depends on; otherwise random.
std::vector<std::size_t> random_order(const Schedule& schedule, std::uint64_t key) {
  const auto before = dependencies(schedule.operations);
  RandomStream random(key);
  std::vector<std::size_t> order;
  std::vector<bool> done(before.size(), false);
  while (order.size() < before.size()) {
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < before.size(); ++i) {
      const bool waits = std::any_of(before[i].begin(), before[i].end(),
                                     [&](std::size_t earlier) { return !done[earlier]; });
      if (!done[i] && !waits) ready.push_back(i);
    }
    const auto choice =
        static_cast<std::size_t>(random.uniform() * static_cast<double>(ready.size()));
    done[ready.at(choice)] = true;
    order.push_back(ready[choice]);
  }
  return order;
}

/// Three steps, in the schedule's own order and in a random one. \return whether the two differ.
bool expect_same_training(const std::function<TrainingCase()>& make, const EngineOptions& options,
                          std::uint64_t key, const std::string& what) {
  std::vector<std::vector<NamedTensor>> trained;
  bool differs = false;
  for (const bool at_random : {false, true}) {
    const TrainingCase made = make();
    Engine engine(made.backbone, made.plan, options);
    if (at_random) {
      const auto order = random_order(engine.schedule(), key);
      differs = !std::is_sorted(order.begin(), order.end());
      engine.set_order(order);
    }
    std::vector<NamedTensor> results;
    for (int step = 0; step < 3; ++step) {
      const StepResult result = engine.step(made.images, made.labels);
      results.push_back({"losses", result.losses.nan_to_num()});
      results.push_back({"logits", result.logits});
    }
    for (const auto& all : {engine.named_parameters(), engine.named_buffers()}) {
      results.insert(results.end(), all.begin(), all.end());
    }
    trained.push_back(std::move(results));
  }
  for (std::size_t i = 0; i < trained[0].size(); ++i) {
    expect_same(trained[1][i].tensor, trained[0][i].tensor, what + ", " + trained[0][i].name);
  }
  return differs;
}

TEST(RandomOrders, TrainRandomPlansToTheSameBits) {
  int differing = 0;
  for (std::uint64_t key = 0; key < 40; ++key) {
    EngineOptions options;
    options.seed = 3;
    options.micro_batches = key % 3 == 0 ? 2 : 1;
    if (key % 4 == 0) options.clip_grad = 0.1;
    differing += expect_same_training([key] { return random_case(key, torch::kFloat32); }, options,
                                      key, "case " + std::to_string(key));
  }
  EXPECT_GE(differing, 20);
}

TEST(RandomOrders, TrainEveryMethodToTheSameBits) {
  torch::manual_seed(7);
  const auto images = torch::randn({4, 3, 32, 32});
  const auto labels = torch::arange(4);
  for (const auto& entry : method_registry().entries()) {
    if (entry.phases) continue;
    const auto make = [&] {
      const Backbone backbone = test_backbone("resnet8", 1);
      OptionSet defaults;
      return TrainingCase{backbone,
                          entry.plan(backbone, default_partition(backbone, 3), defaults, 0), images,
                          labels};
    };
    expect_same_training(make, {}, 5, entry.name);
  }
}

}  // namespace
}  // namespace mlaan::testing

#include "support/closeness.h"
#include "support/random_chain.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/gradient_reducer.h>

#include <gtest/gtest.h>

#include <map>

namespace mlaan::testing {
namespace {

/// Exchanges with nobody, which takes a few questions long, and keeps what it has seen.
class SlowReducer final : public GradientReducer {
 public:
  explicit SlowReducer(int questions) : questions_(questions) {}

  void start(const TrainedPart& part) override {
    EXPECT_TRUE(left_.emplace(part.name, questions_).second) << part.name << " started twice";
  }
  bool is_done(const TrainedPart& part) override { return left_.at(part.name)-- <= 0; }
  void finish(const TrainedPart& part) override {
    EXPECT_EQ(left_.erase(part.name), 1U) << part.name << " was not started";
    for (const auto& named : part.parameters) {
      if (named.tensor.grad().defined()) gradients[named.name] = named.tensor.grad().clone();
    }
  }
  void abandon() override {
    left_.clear();
    ++abandoned;
  }

  bool is_idle() const { return left_.empty(); }

  std::map<std::string, torch::Tensor> gradients;
  int abandoned = 0;

 private:
  int questions_;
  std::map<std::string, int> left_;
};

TEST(GradientReducer, UpdatesThatComeLateTrainTheSameNetwork) {
  for (std::uint64_t key = 0; key < 10; ++key) {
    std::vector<std::vector<NamedTensor>> trained;
    for (const int questions : {-1, 0, 3, 1000}) {
      const TrainingCase random = random_case(key, torch::kFloat32);
      EngineOptions options;
      const auto reducer = std::make_shared<SlowReducer>(questions);
      if (questions >= 0) options.reducer = reducer;
      if (key % 2 == 0) options.clip_grad = 0.1;
      Engine engine(random.backbone, random.plan, options);
      for (int step = 0; step < 3; ++step) engine.step(random.images, random.labels);
      EXPECT_TRUE(reducer->is_idle());
      trained.push_back(engine.named_parameters());
    }
    for (std::size_t run = 1; run < trained.size(); ++run) {
      for (std::size_t i = 0; i < trained[0].size(); ++i) {
        expect_same(trained[run][i].tensor, trained[0][i].tensor,
                    "case " + std::to_string(key) + ", " + trained[0][i].name);
      }
    }
  }
}

TEST(GradientReducer, ReplicasDrawAndAreWeightedAsMicroBatches) {
  for (std::uint64_t key = 0; key < 10; ++key) {
    std::map<std::string, torch::Tensor> whole;
    std::map<std::string, torch::Tensor> sum;
    {
      const TrainingCase random = random_case(key, torch::kFloat64);
      EngineOptions options;
      const auto reducer = std::make_shared<SlowReducer>(0);
      options.reducer = reducer;
      options.micro_batches = 2;
      Engine engine(random.backbone, random.plan, options);
      engine.step(random.images, random.labels);
      whole = reducer->gradients;
    }
    for (const int replica : {0, 1}) {
      const TrainingCase random = random_case(key, torch::kFloat64);
      EngineOptions options;
      const auto reducer = std::make_shared<SlowReducer>(0);
      options.reducer = reducer;
      options.replica = replica;
      options.replicas = 2;
      Engine engine(random.backbone, random.plan, options);
      const auto images = random.images.tensor_split(2)[static_cast<std::size_t>(replica)];
      const auto labels = random.labels.tensor_split(2)[static_cast<std::size_t>(replica)];
      engine.set_batch_share(static_cast<double>(labels.size(0)) /
                             static_cast<double>(random.labels.size(0)));
      engine.step(images, labels);
      for (const auto& [name, gradient] : reducer->gradients) {
        sum[name] = replica == 0 ? gradient : sum.at(name) + gradient;
      }
    }
    ASSERT_EQ(sum.size(), whole.size());
    ASSERT_FALSE(whole.empty());
    // Not to the bit: a net that is evaluated twice a step has four terms, added in another order.
    for (const auto& [name, gradient] : whole) expect_close(sum.at(name), gradient, 1e-12, name);
  }
}

TEST(GradientReducer, AStepThatThrowsGivesItsExchangesUp) {
  TrainingCase random = random_case(1, torch::kFloat32);
  auto throwing = std::make_shared<Loss>(*random.plan.supervisions.back().loss);
  throwing->function = [](const torch::Tensor&, const Targets&) -> torch::Tensor {
    throw std::runtime_error("not now");
  };
  random.plan.supervisions.back().loss = throwing;
  EngineOptions options;
  const auto reducer = std::make_shared<SlowReducer>(1000);
  options.reducer = reducer;
  Engine engine(random.backbone, random.plan, options);
  EXPECT_THROW(engine.step(random.images, random.labels), std::runtime_error);
  EXPECT_EQ(reducer->abandoned, 1);
  EXPECT_TRUE(reducer->is_idle());
}

}  // namespace
}  // namespace mlaan::testing

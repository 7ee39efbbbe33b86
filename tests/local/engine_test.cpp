// Behaviour of the engine beyond its equality with windows run separately.
#include "local/recomputed_unit.h"
#include "support/closeness.h"
#include "support/errors.h"
#include "support/recomputation.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/heads.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// Three linear layers, from six numbers to three logits.
Backbone linear_chain(std::uint64_t seed) {
  torch::manual_seed(seed);
  torch::nn::Sequential chain(torch::nn::Linear(6, 8), torch::nn::Tanh(), torch::nn::Linear(8, 8),
                              torch::nn::Tanh(), torch::nn::Linear(8, 3));
  return Backbone::from(chain, torch::zeros({1, 6}));
}

TEST(Engine, EndToEndIsOrdinaryTraining) {
  const auto images = some_images(8);
  const auto labels = torch::arange(8);
  const Backbone trained = test_backbone("resnet8", 1);
  const Backbone plain = test_backbone("resnet8", 1);
  Engine engine(trained, methods::e2e(trained, default_partition(trained, 3)));
  std::vector<torch::Tensor> parameters;
  for (const auto& named : plain.named_parameters()) parameters.push_back(named.tensor);
  torch::optim::SGD optimizer(
      parameters, torch::optim::SGDOptions(0.1).momentum(0.9).weight_decay(1e-4).nesterov(true));
  for (int step = 0; step < 3; ++step) {
    engine.step(images, labels);
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(plain.forward(images), labels).backward();
    optimizer.step();
  }
  const auto results = trained.named_parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    expect_close(results[i].tensor, parameters[i], 1e-4, results[i].name);
  }
}

TEST(Engine, PredictsInEvaluationModeAndTrainsInTrainingMode) {
  const auto images = some_images(4);
  const Backbone backbone = test_backbone("resnet8", 1);
  Engine engine(backbone, methods::e2e(backbone, default_partition(backbone, 3)));
  const auto statistics = [&] { return backbone.named_buffers().front().tensor.clone(); };
  const auto fresh = statistics();
  const auto logits = engine.predict(images);
  expect_same(statistics(), fresh, "running statistics after predict()");
  expect_same(engine.predict(images), logits, "logits of the same batch");
  engine.step(images, torch::arange(4));
  EXPECT_FALSE(torch::equal(statistics(), fresh));
  const auto after = statistics();
  engine.predict(images);
  expect_same(statistics(), after, "running statistics after predict()");
}

TEST(Engine, SupervisionsLeftToChanceKeepTheExpectedGradient) {
  const Backbone backbone = linear_chain(3);
  Plan plan = methods::dgl(backbone, Partition::uniform(backbone, 2));
  // A head without batch normalisation, so that every step's gradient is the same.
  plan.supervisions.front().net =
      std::make_shared<AuxiliaryNet>("aux.1.local", std::vector<Unit>{pooled_linear("fc", 8, 3)});
  const auto inputs = torch::randn({8, 6});
  const auto labels = torch::randint(3, {8}, torch::kInt64);
  const torch::Tensor weight = backbone.named_parameters().front().tensor;
  Engine always(backbone, plan);
  always.accumulate(inputs, labels);
  const auto whole = weight.grad().clone();
  weight.mutable_grad().reset();

  plan.supervisions.front().probability = 0.25;
  Engine sometimes(backbone, plan);
  constexpr int steps = 2000;
  int evaluated = 0;
  for (int step = 0; step < steps; ++step) {
    const auto losses = sometimes.accumulate(inputs, labels).losses;
    if (!std::isnan(losses[0].item<double>())) ++evaluated;
    EXPECT_FALSE(std::isnan(losses[1].item<double>())) << "the head's";
  }
  const double deviation = std::sqrt(steps * 0.25 * 0.75);
  EXPECT_NEAR(evaluated, steps * 0.25, 4 * deviation);
  expect_close(weight.grad() / steps, whole * (evaluated / (0.25 * steps)), 1e-4,
               "the mean gradient");
}

TEST(Engine, AccumulatedHalvesMakeAWholeStep) {
  // Without batch normalisation a batch's gradient is the mean of its halves'.
  torch::manual_seed(4);
  const auto inputs = torch::randn({8, 6});
  const auto labels = torch::randint(3, {8}, torch::kInt64);
  EngineOptions options;
  SgdOptions descent;
  descent.momentum = 0;
  descent.weight_decay = 0;
  descent.lr = 0.1;
  options.optimizer = sgd(descent);
  const Backbone whole = linear_chain(3);
  Engine(whole, methods::dgl(whole, Partition::uniform(whole, 2), {"linear", 8, 1}), options)
      .step(inputs, labels);
  const Backbone halves = linear_chain(3);
  descent.lr = 0.05;
  options.optimizer = sgd(descent);
  Engine engine(halves, methods::dgl(halves, Partition::uniform(halves, 2), {"linear", 8, 1}),
                options);
  engine.accumulate(inputs.slice(0, 0, 4), labels.slice(0, 0, 4));
  engine.accumulate(inputs.slice(0, 4, 8), labels.slice(0, 4, 8));
  engine.update();
  for (std::size_t i = 0; i < whole.named_parameters().size(); ++i) {
    expect_close(halves.named_parameters()[i].tensor, whole.named_parameters()[i].tensor, 1e-5,
                 whole.named_parameters()[i].name);
  }
}

void expect_micro_batches_are_exact(const torch::Tensor& inputs, const torch::Tensor& labels) {
  const Backbone whole = linear_chain(8);
  const Backbone parts = linear_chain(8);
  EngineOptions options;
  Engine at_once(whole, methods::dgl(whole, Partition::uniform(whole, 2), {"linear", 8, 1}),
                 options);
  options.micro_batches = 3;
  Engine in_parts(parts, methods::dgl(parts, Partition::uniform(parts, 2), {"linear", 8, 1}),
                  options);
  for (int step = 0; step < 2; ++step) {
    const StepResult one = at_once.step(inputs, labels);
    const StepResult three = in_parts.step(inputs, labels);
    expect_close(three.losses, one.losses, 1e-5, "losses");
    expect_close(three.logits, one.logits, 1e-5, "logits");
  }
  EXPECT_EQ(in_parts.steps_done(), at_once.steps_done());
  for (std::size_t i = 0; i < whole.named_parameters().size(); ++i) {
    expect_close(parts.named_parameters()[i].tensor, whole.named_parameters()[i].tensor, 1e-5,
                 whole.named_parameters()[i].name);
  }
}

TEST(Engine, MicroBatchesGiveTheGradientsOfTheWholeBatch) {
  torch::manual_seed(4);
  const auto inputs = torch::randn({7, 6});
  expect_micro_batches_are_exact(inputs, torch::randint(3, {7}, torch::kInt64));
  expect_micro_batches_are_exact(inputs, torch::randn({7, 3}).softmax(1));
}

TEST(Engine, LabelsThatDoNotFitAreRefused) {
  const Backbone backbone = linear_chain(8);
  Plan plan = methods::dgl(backbone, Partition::uniform(backbone, 2), {"linear", 8, 1});
  const auto inputs = torch::randn({4, 6});
  Engine engine(backbone, plan);
  expect_user_error(
      [&] {
        engine.step(inputs, torch::tensor({0, 1, 2, 3}));
      },
      {"class 3", "0 to 2"});
  expect_user_error([&] { engine.step(inputs, torch::tensor({0, 1, 2})); }, {"[3]", "4 classes"});
  plan.supervisions[0].loss = supervised_contrastive();
  Engine contrasting(backbone, plan);
  expect_user_error(
      [&] {
        contrasting.step(inputs, torch::rand({4, 3}));
      },
      {"supervised_contrastive", "probabilities"});
}

TEST(Engine, AddingASupervisionDoesNotChangeWhatTheOthersDraw) {
  // The first module's dropout draws the same mask, whatever else there is.
  const auto loss_of_first = [](bool more) {
    torch::manual_seed(3);
    torch::nn::Sequential chain(torch::nn::Linear(6, 8), torch::nn::Dropout(0.5),
                                torch::nn::Linear(8, 8), torch::nn::Dropout(0.5),
                                torch::nn::Linear(8, 3));
    const Backbone backbone = Backbone::from(chain, torch::zeros({1, 6}));
    Plan plan = methods::dgl(backbone, Partition::uniform(backbone, 2), {"linear", 8, 1});
    if (more) {
      plan.supervisions.insert(plan.supervisions.begin(), plan.supervisions.front());
      plan.supervisions.front().net =
          std::make_shared<AuxiliaryNet>("aux.more", std::vector<Unit>{pooled_linear("fc", 8, 3)});
    }
    Engine engine(backbone, plan);
    const auto result = engine.step(torch::ones({4, 6}), torch::zeros({4}, torch::kInt64));
    return result.losses.slice(0, more ? 1 : 0);
  };
  EXPECT_TRUE(torch::equal(loss_of_first(false)[0], loss_of_first(true)[0]));
  EXPECT_TRUE(torch::equal(loss_of_first(false)[1], loss_of_first(true)[1]));
}

TEST(Engine, UnitsThatWorkInPlaceOnTheirInputGetACopy) {
  torch::manual_seed(3);
  std::vector<Unit> units;
  units.emplace_back("first", torch::nn::Linear(4, 5));
  units.emplace_back("second", torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)));
  units.emplace_back("third", torch::nn::Linear(5, 5));
  const Backbone backbone("mine", units, {pooled_linear("fc", 5, 2)}, {4});
  EXPECT_FALSE(backbone.overwrites_input(0));
  EXPECT_TRUE(backbone.overwrites_input(1));
  const Partition partition({0, 2});
  Plan plan = methods::mlm(backbone, partition);
  Engine engine(backbone, plan);
  EXPECT_NO_THROW(engine.step(torch::randn({6, 4}), torch::zeros({6}, torch::kInt64)));
}

TEST(Engine, RecomputedUnitsLeaveTheirInputAlone) {
  const Unit relu("relu", torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)));
  for (const bool recorded : {false, true}) {
    const torch::AutoGradMode mode(recorded);
    const auto input = torch::tensor({-1.0F, 2.0F}).set_requires_grad(true);
    const auto output = run_recomputed(relu, input, /*overwrites_input=*/true);
    expect_same(input.detach(), torch::tensor({-1.0F, 2.0F}), "input");
    expect_same(output.detach(), torch::tensor({0.0F, 2.0F}), "output");
    EXPECT_EQ(output.requires_grad(), recorded);
  }
}

TEST(Engine, NetsThatWorkInPlaceOnTheirInputAreRefused) {
  const Backbone backbone = test_backbone("resnet8", 0);
  Plan plan = methods::dgl(backbone, default_partition(backbone, 3));
  std::vector<Unit> units;
  units.emplace_back("relu", torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)));
  units.push_back(pooled_linear("fc", 16, 10));
  plan.supervisions[0].net = std::make_shared<AuxiliaryNet>("aux.mine", units);
  Engine engine(backbone, plan);
  expect_user_error([&] { engine.step(some_images(2), torch::zeros({2}, torch::kInt64)); },
                    {"aux.mine", "in place"});
}

/// Cross-entropy that throws when it is asked for the n-th time.
std::shared_ptr<const Loss> loss_that_throws_at(int number) {
  auto loss = std::make_shared<Loss>(*cross_entropy());
  loss->function = [count = std::make_shared<int>(0), number, plain = cross_entropy()->function](
                       const torch::Tensor& output, const Targets& targets) {
    if (++*count == number) throw std::runtime_error("not now");
    return plain(output, targets);
  };
  return loss;
}

TEST(Engine, AStepThatThrowsLeavesNothingToTheNext) {
  const auto images = some_images(4);
  const auto labels = torch::arange(4);
  for (const auto micro_batches : {1, 2}) {
    for (int number = 1; number <= 4; ++number) {
      const Backbone backbone = test_backbone("resnet8", 5);
      Plan plan = methods::mlaan(backbone, default_partition(backbone, 3));
      const auto throwing = loss_that_throws_at(number);
      for (auto& supervision : plan.supervisions) supervision.loss = throwing;
      EngineOptions options;
      options.micro_batches = micro_batches;
      options.optimizer = sgd({0.1, 0, 1e-4, false});  // no state that could tell the two apart
      Engine engine(backbone, plan, options);
      EXPECT_THROW(engine.step(images, labels), std::runtime_error);
      for (const auto& named : engine.named_parameters()) {
        EXPECT_FALSE(named.tensor.grad().defined()) << named.name;
      }
      // Another engine with the weights of now, those of the averages included.
      const Backbone other_backbone = test_backbone("resnet8", 6);
      Plan other_plan = methods::mlaan(other_backbone, default_partition(other_backbone, 3));
      Engine other(other_backbone, other_plan, options);
      {
        const torch::NoGradGuard no_grad;
        const auto from = engine.named_parameters();
        const auto to = other.named_parameters();
        ASSERT_EQ(from.size(), to.size());
        for (std::size_t i = 0; i < from.size(); ++i) to[i].tensor.detach().copy_(from[i].tensor);
      }
      const StepResult result = engine.step(images, labels);
      const StepResult expected = other.step(images, labels);
      expect_same(result.losses, expected.losses, "losses");
      const auto actual = engine.named_parameters();
      const auto wanted = other.named_parameters();
      for (std::size_t i = 0; i < actual.size(); ++i) {
        expect_same(actual[i].tensor, wanted[i].tensor, actual[i].name);
      }
    }
  }
}

TEST(Engine, ParametersOfTwoModulesAreRefused) {
  torch::nn::Linear shared(4, 4);
  std::vector<Unit> units;
  units.emplace_back("first", shared);
  units.emplace_back("second", shared);
  const Backbone backbone("tied", units, {pooled_linear("fc", 4, 2)}, {4});
  expect_user_error(
      [&] { Engine(backbone, methods::dgl(backbone, Partition::uniform(backbone, 2))); },
      {"module 2", "one place only"});
}

TEST(Engine, ParametersThatAreFrozenAfterwardsAreRefused) {
  const Backbone backbone = make_backbone("resnet8", 10, {3, 32, 32}, 0);
  Engine engine(backbone, methods::e2e(backbone, default_partition(backbone, 1)));
  backbone.named_parameters().front().tensor.set_requires_grad(false);
  EXPECT_THROW(engine.step(torch::randn({2, 3, 32, 32}), torch::zeros({2}, torch::kInt64)),
               UserError);
}

TEST(Engine, RecomputationOfResNetsIsExactBitForBit) {
  const auto images = some_images(4);
  const auto labels = torch::arange(4);
  for (const std::string method : {"e2e", "dgl", "mlaan", "mlaan-lean"}) {
    const auto make = [&] {
      const Backbone backbone = test_backbone("resnet8", 1);
      OptionSet defaults;
      Plan plan =
          method_registry().at(method).plan(backbone, default_partition(backbone, 3), defaults, 0);
      return TrainingCase{backbone, std::move(plan), images, labels};
    };
    EngineOptions options;
    options.memory_format = torch::MemoryFormat::ChannelsLast;
    expect_recomputation_is_exact(make, options, method);
  }
}

}  // namespace
}  // namespace mlaan::testing

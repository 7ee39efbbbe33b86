#include "core/libtorch_compat.h"
#include "local/foreach_sgd.h"
#include "support/closeness.h"

#include <mlaan/local/optimizer.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

using torch::optim::SGDOptions;

std::vector<torch::Tensor> some_parameters() {
  torch::manual_seed(5);
  std::vector<torch::Tensor> parameters;
  parameters.push_back(torch::randn({8, 6, 3, 3}).contiguous(torch::MemoryFormat::ChannelsLast));
  parameters.push_back(torch::randn({37}));
  parameters.push_back(torch::randn({}));
  parameters.push_back(torch::randn({5, 6}));
  parameters.push_back(torch::randn({4}));
  parameters.push_back(torch::randn({11}, torch::kFloat64));
  for (auto& parameter : parameters) parameter.requires_grad_(true);
  return parameters;
}

/// Parameter 3 never has a gradient, parameter 4 from the third step on.
bool has_gradient(std::size_t parameter, int step) {
  return parameter != 3 && (parameter != 4 || step >= 2);
}

torch::Tensor momentum_buffer(torch::optim::Optimizer& optimizer, const torch::Tensor& parameter) {
  const auto found =
      optimizer.state().find(compat::optimizer_state_key(parameter.unsafeGetTensorImpl()));
  if (found == optimizer.state().end()) return {};
  return dynamic_cast<torch::optim::SGDParamState&>(*found->second).momentum_buffer();
}

void expect_the_same_steps(const SGDOptions& options, const std::string& what) {
  const auto parameters = some_parameters();
  const auto expected = some_parameters();
  ForeachSgd optimizer(parameters, options);
  torch::optim::SGD plain(expected, options);
  for (int step = 0; step < 6; ++step) {
    const double lr = options.lr() / (1 + step);
    optimizer.param_groups().front().options().set_lr(lr);
    plain.param_groups().front().options().set_lr(lr);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (!has_gradient(i, step)) continue;
      const auto gradient = torch::randn_like(parameters[i]);
      parameters[i].mutable_grad() = gradient.clone();
      expected[i].mutable_grad() = gradient;
    }
    optimizer.step();
    plain.step();
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::string name =
          what + ", step " + std::to_string(step) + ", parameter " + std::to_string(i);
      expect_same(parameters[i].detach(), expected[i].detach(), name);
      const auto buffer = momentum_buffer(plain, expected[i]);
      ASSERT_EQ(momentum_buffer(optimizer, parameters[i]).defined(), buffer.defined()) << name;
      if (buffer.defined()) expect_same(momentum_buffer(optimizer, parameters[i]), buffer, name);
      EXPECT_EQ(buffer.defined(), options.momentum() != 0 && has_gradient(i, step)) << name;
    }
  }
}

TEST(ForeachSgd, IsTorchsSgdBitForBit) {
  expect_the_same_steps(SGDOptions(0.1), "plain");
  expect_the_same_steps(SGDOptions(0.1).weight_decay(0.01), "weight decay");
  expect_the_same_steps(SGDOptions(0.1).momentum(0.9), "momentum");
  expect_the_same_steps(SGDOptions(0.1).momentum(0.9).weight_decay(0.01), "momentum and decay");
  expect_the_same_steps(SGDOptions(0.1).momentum(0.9).dampening(0.3), "dampening");
  expect_the_same_steps(SGDOptions(0.1).momentum(0.9).nesterov(true), "nesterov");
  expect_the_same_steps(SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(0.01), "all");
}

TEST(ForeachSgd, StepsNothingWhereThereIsNoGradient) {
  const auto parameters = some_parameters();
  ForeachSgd optimizer(parameters, SGDOptions(0.1).momentum(0.9));
  optimizer.step();
  EXPECT_TRUE(optimizer.state().empty());
  expect_same(parameters[0].detach(), some_parameters()[0].detach(), "untouched");
}

TEST(ForeachSgd, EvaluatesAClosureWithGradients) {
  const auto parameter = torch::ones({3}).requires_grad_(true);
  ForeachSgd optimizer({parameter}, SGDOptions(0.5));
  const auto loss = optimizer.step([&] {
    const auto value = parameter.square().sum();
    value.backward();
    return value;
  });
  EXPECT_DOUBLE_EQ(loss.item<double>(), 3);
  expect_same(parameter.detach(), torch::zeros({3}), "1 − 0.5·2");
}

TEST(ForeachSgd, GradientsThatOthersHoldAreLeftAlone) {
  const auto options = SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(0.5);
  const auto whole = torch::randn({6});
  const auto before = whole.clone();
  const auto parameters = [] {
    return std::vector<torch::Tensor>{torch::ones({6}).requires_grad_(true),
                                      torch::ones({2, 3}).requires_grad_(true)};
  };
  const auto ours = parameters();
  const auto expected = parameters();
  ForeachSgd optimizer(ours, options);
  torch::optim::SGD plain(expected, options);
  for (int step = 0; step < 3; ++step) {
    for (const auto& set : {ours, expected}) {
      set[0].mutable_grad() = whole;               // held here
      set[1].mutable_grad() = whole.view({2, 3});  // the same memory
    }
    optimizer.step();
    plain.step();
  }
  expect_same(whole, before, "the gradient");
  for (std::size_t i = 0; i < ours.size(); ++i) {
    expect_same(ours[i].detach(), expected[i].detach(), "parameter");
  }
}

TEST(ForeachSgd, AStepNeedsNoBytesBesideTheState) {
  const auto rise = [](torch::optim::Optimizer& optimizer,
                       const std::vector<torch::Tensor>& parameters) {
    std::int64_t highest = 0;
    for (int step = 0; step < 3; ++step) {
      for (const auto& parameter : parameters) {
        parameter.mutable_grad() = torch::randn_like(parameter);
      }
      measure::reset_peak(torch::kCPU);
      const auto before = measure::read_memory(torch::kCPU).live;
      optimizer.step();
      // The first step makes the state.
      if (step > 0) highest = measure::read_memory(torch::kCPU).peak - before;
    }
    return highest;
  };
  std::vector<torch::Tensor> parameters;
  for (int i = 0; i < 8; ++i) parameters.push_back(torch::randn({100, 1000}).requires_grad_(true));
  const auto options = SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(0.01);
  ForeachSgd optimizer(parameters, options);
  constexpr std::int64_t scalars = 1024;
  EXPECT_LE(rise(optimizer, parameters), scalars);
  torch::optim::SGD plain(parameters, options);
  EXPECT_GT(rise(plain, parameters), 100 * 1000 * 4) << "what the test would see";
}

TEST(ForeachSgd, IsWhatEnginesGet) {
  const auto optimizer = sgd()({torch::zeros({2}).requires_grad_(true)});
  EXPECT_NE(dynamic_cast<ForeachSgd*>(optimizer.get()), nullptr);
}

}  // namespace
}  // namespace mlaan::testing

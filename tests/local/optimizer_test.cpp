// Optimizers: the steps of papers and of LibTorch, and their states.
#include "core/libtorch_compat.h"
#include "local/eight_bit_optimizer.h"
#include "local/foreach_sgd.h"
#include "support/closeness.h"
#include "support/errors.h"
#include "support/test_backbone.h"

#include <mlaan/local/optimizer.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

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

/// One step with gradients that depend on the step alone.
void step_with_random_gradients(torch::optim::Optimizer& optimizer,
                                const std::vector<NamedTensor>& parameters, std::uint64_t step) {
  torch::manual_seed(step);
  for (const auto& parameter : parameters) {
    parameter.tensor.mutable_grad() = torch::randn_like(parameter.tensor);
  }
  optimizer.step();
}

class AdamFactories : public ::testing::TestWithParam<bool> {
 protected:
  static OptimizerFactory factory() {
    const AdamOptions options{0.01, 0.8, 0.95, 1e-6, 0.1};
    return GetParam() ? adamw(options) : adam(options);
  }

  static std::vector<TrainedPart> make_part(const OptimizerFactory& factory) {
    TrainedPart part{"part", {}, nullptr};
    for (auto& parameter : some_parameters()) {
      part.parameters.push_back({"p" + std::to_string(part.parameters.size()), parameter});
    }
    part.optimizer = factory(some(part.parameters));
    std::vector<TrainedPart> parts;
    parts.push_back(std::move(part));
    return parts;
  }

  static std::vector<torch::Tensor> some(const std::vector<NamedTensor>& named) {
    std::vector<torch::Tensor> tensors;
    for (const auto& item : named) tensors.push_back(item.tensor);
    return tensors;
  }
};

TEST_P(AdamFactories, StepAsThePapersSay) {
  const auto parts = make_part(factory());
  const auto& parameters = parts[0].parameters;
  std::vector<torch::Tensor> values;
  std::vector<torch::Tensor> means;
  std::vector<torch::Tensor> squares;
  for (const auto& parameter : parameters) {
    values.push_back(parameter.tensor.detach().to(torch::kFloat64, false, /*copy=*/true));
    means.push_back(torch::zeros_like(values.back()));
    squares.push_back(torch::zeros_like(values.back()));
  }
  for (std::uint64_t step = 1; step <= 3; ++step) {
    step_with_random_gradients(*parts[0].optimizer, parameters, step);
    const auto t = static_cast<double>(step);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      auto gradient = parameters[i].tensor.grad().to(torch::kFloat64);
      if (GetParam()) {
        values[i] = values[i] * (1 - 0.01 * 0.1);
      } else {
        gradient = gradient + 0.1 * values[i];
      }
      means[i] = 0.8 * means[i] + 0.2 * gradient;
      squares[i] = 0.95 * squares[i] + 0.05 * gradient * gradient;
      const auto mean = means[i] / (1 - std::pow(0.8, t));
      const auto square = squares[i] / (1 - std::pow(0.95, t));
      values[i] = values[i] - 0.01 * mean / (square.sqrt() + 1e-6);
      expect_close(parameters[i].tensor.detach(), values[i], 1e-5, parameters[i].name);
    }
  }
}

TEST_P(AdamFactories, GoOnFromTheirStateBitForBit) {
  const auto whole = make_part(factory());
  const auto resumed = make_part(factory());
  for (std::uint64_t step = 1; step <= 2; ++step) {
    step_with_random_gradients(*whole[0].optimizer, whole[0].parameters, step);
  }
  const auto state = optimizer_state(whole);
  EXPECT_EQ(state.size(), 3 * whole[0].parameters.size());
  EXPECT_EQ(state.front().name, "optimizer.p0.exp_avg");
  {
    const torch::NoGradGuard no_grad;
    for (std::size_t i = 0; i < whole[0].parameters.size(); ++i) {
      torch::Tensor(resumed[0].parameters[i].tensor).copy_(whole[0].parameters[i].tensor);
    }
  }
  set_optimizer_state(resumed, state);
  step_with_random_gradients(*whole[0].optimizer, whole[0].parameters, 3);
  step_with_random_gradients(*resumed[0].optimizer, resumed[0].parameters, 3);
  for (std::size_t i = 0; i < whole[0].parameters.size(); ++i) {
    expect_same(resumed[0].parameters[i].tensor.detach(), whole[0].parameters[i].tensor.detach(),
                whole[0].parameters[i].name);
  }
  auto wrong = state;
  wrong[0].tensor = torch::zeros({3, 3});
  expect_user_error([&] { set_optimizer_state(resumed, wrong); }, {"p0", "shape"});
}

INSTANTIATE_TEST_SUITE_P(Kinds, AdamFactories, ::testing::Bool(),
                         [](const auto& adamw) { return adamw.param ? "AdamW" : "Adam"; });

TEST(OptimizerState, OfAnUnknownOptimizerIsRefused) {
  const auto parameter = torch::zeros({2}).requires_grad_(true);
  std::vector<TrainedPart> parts;
  parts.push_back({"part",
                   {{"p", parameter}},
                   std::make_unique<torch::optim::Adagrad>(std::vector{parameter})});
  EXPECT_THROW(optimizer_state(parts), Error);
}

TEST(ForeachSgd, IsWhatEnginesGet) {
  const auto optimizer = sgd()({torch::zeros({2}).requires_grad_(true)});
  EXPECT_NE(dynamic_cast<ForeachSgd*>(optimizer.get()), nullptr);
}

TEST(DecayNorms, LeavesVectorsOut) {
  const auto parameters = [] {
    std::vector<torch::Tensor> made{torch::full({4, 3, 1, 1}, 2.0F), torch::full({4}, 2.0F),
                                    torch::full({1, 4}, 2.0F), torch::full({4, 1, 1}, 2.0F)};
    for (auto& parameter : made) parameter.requires_grad_(true);
    return made;
  };
  const std::vector<bool> decayed{true, false, true, false};
  const AdamOptions moments{0.25, 0.9, 0.999, 1e-8, 0.5, /*decay_norms=*/false};
  for (const auto& factory : {sgd({0.25, 0.9, 0.5, true, /*decay_norms=*/false}), adamw(moments)}) {
    const auto made = parameters();
    const auto optimizer = factory(made);
    for (const auto& parameter : made) parameter.mutable_grad() = torch::zeros_like(parameter);
    optimizer->step();
    for (std::size_t i = 0; i < made.size(); ++i) {
      EXPECT_EQ((made[i] == 2).all().item<bool>(), !decayed[i]) << "parameter " << i;
    }
  }
  const auto all = parameters();
  EXPECT_EQ(sgd()(all)->param_groups().size(), 1U) << "as the published codes";
  EXPECT_EQ(sgd({0.1, 0.9, 0.5, true, false})({all[1]})->param_groups().size(), 1U);
}

TEST(Lamb, StepsAsThePaperSays) {
  const AdamOptions options{0.01, 0.8, 0.95, 1e-6, 0.1};
  auto named = some_parameters();
  std::vector<NamedTensor> parameters;
  for (const auto& parameter : named) {
    parameters.push_back({"p" + std::to_string(parameters.size()), parameter});
  }
  {
    const torch::NoGradGuard no_grad;
    named[3].zero_();  // a norm of 0
  }
  const auto optimizer = lamb(options)(named);
  std::vector<torch::Tensor> values;
  std::vector<torch::Tensor> means;
  std::vector<torch::Tensor> squares;
  for (const auto& parameter : named) {
    values.push_back(parameter.detach().to(torch::kFloat64, false, /*copy=*/true));
    means.push_back(torch::zeros_like(values.back()));
    squares.push_back(torch::zeros_like(values.back()));
  }
  for (std::uint64_t step = 1; step <= 3; ++step) {
    torch::manual_seed(step);
    for (std::size_t i = 0; i < named.size(); ++i) {
      const auto gradient = torch::randn_like(named[i]);
      named[i].mutable_grad() = gradient;
      const auto wide = gradient.to(torch::kFloat64);
      const auto t = static_cast<double>(step);
      means[i] = 0.8 * means[i] + 0.2 * wide;
      squares[i] = 0.95 * squares[i] + 0.05 * wide * wide;
      const auto direction = means[i] / (1 - std::pow(0.8, t)) /
                                 ((squares[i] / (1 - std::pow(0.95, t))).sqrt() + 1e-6) +
                             0.1 * values[i];
      const double of_value = values[i].norm().item<double>();
      const double ratio =
          named[i].dim() < 2 || of_value == 0 ? 1 : of_value / direction.norm().item<double>();
      values[i] = values[i] - 0.01 * ratio * direction;
    }
    optimizer->step();
    for (std::size_t i = 0; i < named.size(); ++i) {
      expect_close(named[i].detach(), values[i], 1e-5, parameters[i].name);
    }
  }
  expect_user_error(
      [] {
        lamb({1e-3, 0.9, 0.999, 1e-8, 0, true, MomentFormat::eight_bit});
      },
      {"8bit", "lamb"});
}

}  // namespace
}  // namespace mlaan::testing

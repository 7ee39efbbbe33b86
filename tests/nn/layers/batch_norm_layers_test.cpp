#include "core/autocast_scope.h"
#include "local/gradient_tap.h"
#include "nn/kernels/relu_backward.h"
#include "support/closeness.h"

#include <mlaan/measure/memory.h>
#include <mlaan/nn/dropped_output_scope.h>
#include <mlaan/nn/gradient_node.h>
#include <mlaan/nn/kept_statistics.h>
#include <mlaan/nn/layers/batch_norm_layers.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

namespace mlaan::testing {
namespace {

struct Setting {
  torch::MemoryFormat format;
  torch::Dtype type;
  bool recomputes;
};

class BatchNormLayers : public ::testing::TestWithParam<Setting> {
 protected:
  BatchNormLayers() {
    torch::manual_seed(3);
    normalisation->to(GetParam().type);
    convolution->to(GetParam().type);
    const torch::NoGradGuard no_grad;
    normalisation->weight.uniform_(0.5, 2);
    normalisation->bias.uniform_(-1, 1);
  }

  torch::Tensor maps() const {
    return torch::randn({4, 6, 10, 10}, GetParam().type)
        .contiguous(GetParam().format)
        .requires_grad_(true);
  }

  /// Output, running statistics and all gradients, when the output's gradient is `cotangent`.
  std::vector<torch::Tensor> run(const std::function<torch::Tensor()>& forward,
                                 const std::vector<torch::Tensor>& sources,
                                 const torch::Tensor& cotangent) {
    normalisation->reset_running_stats();
    for (const auto& source : sources) source.mutable_grad() = torch::Tensor();
    const auto output = forward();
    // Twice, as where a module has several products: what is kept must not be written over.
    output.backward(cotangent, /*retain_graph=*/true);
    output.backward(cotangent);
    std::vector<torch::Tensor> results{output.detach(), normalisation->running_mean.clone(),
                                       normalisation->running_var.clone()};
    for (const auto& source : sources) results.push_back(source.grad());
    return results;
  }

  static void expect_all_same(const std::vector<torch::Tensor>& actual,
                              const std::vector<torch::Tensor>& expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      expect_same(actual[i], expected[i], "result " + std::to_string(i));
    }
  }

  /// Expects the same of two functions of maps, for a gradient that is dense and one that is a
  /// broadcast.
  void expect_same_for_maps(const std::function<torch::Tensor(const torch::Tensor&)>& actual,
                            const std::function<torch::Tensor(const torch::Tensor&)>& expected) {
    const auto input = maps();
    const std::vector<torch::Tensor> sources{input, normalisation->weight, normalisation->bias};
    const auto full = torch::randn_like(input);
    for (const auto& cotangent : {full, torch::ones({1}, GetParam().type).expand_as(input)}) {
      expect_all_same(run([&] { return actual(input); }, sources, cotangent),
                      run([&] { return expected(input); }, sources, cotangent));
    }
  }

  torch::nn::BatchNorm2d normalisation{6};
  torch::nn::Conv2d convolution{torch::nn::Conv2dOptions(6, 6, 3).stride(2).padding(1).bias(false)};
};

TEST_P(BatchNormLayers, NormReluConvGivesTheBitsOfTheSeparateOperators) {
  const auto input = maps();
  const std::vector<torch::Tensor> sources{input, normalisation->weight, normalisation->bias,
                                           convolution->weight};
  const auto full = torch::randn({4, 6, 5, 5}, GetParam().type).contiguous(GetParam().format);
  for (const auto& cotangent : {full, torch::ones({1}, GetParam().type).expand({4, 6, 5, 5})}) {
    expect_all_same(
        run(
            [&] {
              return norm_relu_conv(normalisation, convolution, input, GetParam().recomputes);
            },
            sources, cotangent),
        run([&] { return convolution(torch::relu(normalisation(input))); }, sources, cotangent));
  }
}

TEST_P(BatchNormLayers, NormReluGivesTheBitsOfTheSeparateOperators) {
  expect_same_for_maps(
      [&](const torch::Tensor& input) { return norm_relu(normalisation, input); },
      [&](const torch::Tensor& input) { return torch::relu(normalisation(input)); });
}

TEST_P(BatchNormLayers, NormAddReluGivesTheBitsOfTheSeparateOperators) {
  const auto input = maps();
  const auto shortcut = maps();
  const std::vector<torch::Tensor> sources{input, normalisation->weight, normalisation->bias,
                                           shortcut};
  const auto full = torch::randn({4, 6, 10, 10}, GetParam().type).contiguous(GetParam().format);
  for (const auto& cotangent : {full, torch::ones({1}, GetParam().type).expand({4, 6, 10, 10})}) {
    const auto expected =
        run([&] { return torch::relu(normalisation(input) + shortcut); }, sources, cotangent);
    expect_all_same(
        run([&] { return norm_add_relu(normalisation, input, shortcut); }, sources, cotangent),
        expected);
    const DroppedOutputScope dropped;
    expect_all_same(
        run([&] { return norm_add_relu(normalisation, input, shortcut); }, sources, cotangent),
        expected);
  }
}

TEST_P(BatchNormLayers, NormGivesTheBitsOfTheSeparateOperator) {
  expect_same_for_maps([&](const torch::Tensor& input) { return norm(normalisation, input); },
                       [&](const torch::Tensor& input) { return normalisation(input); });
}

TEST_P(BatchNormLayers, RunOnceMoreTheyGiveTheSameBitsAndLeaveRunningStatisticsAlone) {
  const auto input = maps();
  const auto small = torch::randn({4, 6, 5, 5}, GetParam().type)
                         .contiguous(GetParam().format)
                         .requires_grad_(true);
  const auto cotangent = torch::randn({4, 6, 5, 5}, GetParam().type);
  const std::vector<torch::Tensor> sources{input, small, normalisation->weight, normalisation->bias,
                                           convolution->weight};
  torch::Tensor known;
  // One normalisation three times: what each found is told apart by the order.
  const auto block = [&] {
    auto shortcut = norm(normalisation, small);
    const auto convolved = norm_relu_conv(normalisation, convolution, input, GetParam().recomputes);
    return norm_add_relu(normalisation, convolved, std::move(shortcut), known);
  };
  const auto expected = run(block, sources, cotangent);
  KeptStatistics statistics;
  torch::Tensor output;
  {
    const torch::NoGradGuard no_grad;
    const KeptStatisticsScope scope(statistics, KeptStatisticsScope::Mode::keep);
    output = block();
  }
  ASSERT_EQ(statistics.size(), 3);
  for (const bool knows_output : {false, true}) {
    known = knows_output ? output : torch::Tensor();
    const KeptStatisticsScope scope(statistics, KeptStatisticsScope::Mode::take);
    auto actual = run(block, sources, cotangent);
    EXPECT_EQ(actual[0].is_alias_of(output), knows_output);
    expect_same(actual[1], torch::zeros_like(actual[1]), "running mean");
    expect_same(actual[2], torch::ones_like(actual[2]), "running variance");
    actual[1] = expected[1];
    actual[2] = expected[2];
    expect_all_same(actual, expected);
  }
}

/// Sends a gradient to the node of an output, and on to the inputs.
std::vector<torch::Tensor> send(torch::Tensor output, Gradient gradient,
                                const std::vector<torch::Tensor>& inputs) {
  torch::Tensor sent = send_to(output, std::move(gradient));
  return send_back_for(std::move(output), std::move(sent), inputs);
}

TEST_P(BatchNormLayers, AGradientThatItsSenderKeepsIsCutWhereItLies) {
  const auto input = maps();
  const auto shortcut = maps();
  const auto sent = torch::randn({4, 6, 10, 10}, GetParam().type).contiguous(GetParam().format);
  for (const bool is_kept : {false, true}) {
    const auto output = norm_add_relu(normalisation, input, shortcut);
    Gradient gradient(sent.clone());
    const torch::Tensor held = is_kept ? torch::Tensor() : gradient.numbers();
    const Gradient kept = is_kept ? gradient.keep() : Gradient();
    const auto gradients = send(output, std::move(gradient), {input, shortcut});
    const auto cut = torch::where(output == 0, torch::zeros({}, GetParam().type), sent).detach();
    expect_same(is_kept ? kept.numbers() : held, is_kept ? cut : sent, "what the sender holds");
    expect_same(gradients[1], cut, "shortcut");
    const auto expected =
        torch::autograd::grad({torch::relu(normalisation(input) + shortcut)}, {input}, {sent})[0];
    expect_same(gradients[0], expected, "input");
  }
}

TEST_P(BatchNormLayers, AGradientThatItsSenderKeepsIsLeftAloneWhereOthersSeeIt) {
  const auto input = maps();
  const auto shortcut = maps();
  Gradient gradient(torch::randn({4, 6, 10, 10}, GetParam().type).contiguous(GetParam().format));
  const Gradient kept = gradient.keep();
  const auto alias = kept.numbers().detach();
  const auto before = alias.clone();
  const auto output = norm_add_relu(normalisation, input, shortcut);
  send(output, std::move(gradient), {input, shortcut});
  expect_same(alias, before, "what an onlooker sees");
}

/// Pools nothing: its output is its input. Notes what memory there is when a gradient is sent back.
struct WatchedMapImpl : torch::nn::Cloneable<WatchedMapImpl>, LinearMap {
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& input) { return input; }
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const override {
    return gradient * factor;
  }
  void send_back(const torch::Tensor& shares, const Put& put) const override {
    ++calls;
    live = measure::read_memory(torch::kCPU).live;
    put(shares, [](const torch::Tensor& whole) { return whole; });
  }

  mutable int calls = 0;
  mutable std::int64_t live = 0;
};
TORCH_MODULE(WatchedMap);

TEST_P(BatchNormLayers, APooledGradientIsHeldForTheShortcutByNobody) {
  const auto input = maps();
  const auto shortcut = maps();
  const auto sent = torch::randn({4, 6, 10, 10}, GetParam().type).contiguous(GetParam().format);
  const auto map = static_cast<std::int64_t>(sent.nbytes());
  WatchedMap watched;
  const auto reading = std::make_shared<LinearReading>(std::vector<Unit>{Unit("watched", watched)});
  reading->read(sent);
  for (const bool drops_output : {false, true}) {
    const auto make_output = [&] {
      std::optional<DroppedOutputScope> dropped;
      if (drops_output) dropped.emplace();
      return norm_add_relu(normalisation, input, shortcut);
    };
    const auto expected = send(make_output(), Gradient(sent.clone()), {input, shortcut});
    const auto send_pooled = [&](const std::vector<torch::Tensor>& inputs) {
      auto output = make_output();
      watched->calls = 0;
      const std::int64_t before = measure::read_memory(torch::kCPU).live;
      auto gradients = send(std::move(output), Gradient(sent, reading), inputs);
      EXPECT_LT(watched->live - before, 5 * map / 2) << "the input's gradient, and what is made";
      return gradients;
    };
    const auto both = send_pooled({input, shortcut});
    EXPECT_EQ(watched->calls, 2);
    expect_same(both[0], expected[0], "input");
    expect_same(both[1], expected[1], "shortcut");
    expect_same(send_pooled({input})[0], expected[0], "input alone");
    EXPECT_EQ(watched->calls, 1);
    expect_same(send_pooled({shortcut})[0], expected[1], "shortcut alone");
    EXPECT_EQ(watched->calls, 1);
  }
}

TEST_P(BatchNormLayers, EveryLayerTakesAPooledGradient) {
  const auto input = maps();
  const auto sent = torch::randn({4, 6, 10, 10}, GetParam().type).contiguous(GetParam().format);
  const auto reading =
      std::make_shared<LinearReading>(std::vector<Unit>{Unit("watched", WatchedMap())});
  reading->read(sent);
  const auto check = [&](const auto& make_output, const std::string& what) {
    const auto expected = send(make_output(), Gradient(sent.clone()), {input})[0];
    expect_same(send(make_output(), Gradient(sent, reading), {input})[0], expected, what);
  };
  check([&] { return norm(normalisation, input); }, "normalised");
  check([&] { return norm_relu(normalisation, input); }, "behind a ReLU");
  check([&] { return input * 2; }, "what is no layer of ours");
}

TEST_P(BatchNormLayers, ChannelsThatLeaveVectorsPartlyEmptyAgreeWithinRounding) {
  const double tolerance = GetParam().type == torch::kFloat64 ? 1e-12 : 2e-5;
  for (const std::int64_t channels : {3, 8, 12, 24}) {
    normalisation = torch::nn::BatchNorm2d(channels);
    normalisation->to(GetParam().type);
    {
      const torch::NoGradGuard no_grad;
      normalisation->weight.uniform_(0.5, 2);
      normalisation->bias.uniform_(-1, 1);
    }
    const auto input = (3 * torch::randn({4, channels, 8, 8}, GetParam().type) + 5)
                           .contiguous(GetParam().format)
                           .requires_grad_(true);
    const auto cotangent = torch::randn({4, channels, 8, 8}, GetParam().type);
    const std::vector<torch::Tensor> sources{input, normalisation->weight, normalisation->bias};
    const auto actual = run([&] { return norm_relu(normalisation, input); }, sources,
                            cotangent.contiguous(GetParam().format));
    const auto expected =
        run([&] { return torch::relu(normalisation(input)); }, sources, cotangent);
    for (std::size_t i = 0; i < actual.size(); ++i) {
      expect_close(actual[i], expected[i], tolerance,
                   std::to_string(channels) + " channels, result " + std::to_string(i));
    }
  }
}

TEST_P(BatchNormLayers, EvaluationLeavesRunningStatisticsAlone) {
  normalisation->eval();
  const auto input = maps();
  const auto mean = normalisation->running_mean.clone();
  norm_add_relu(normalisation, norm_relu_conv(normalisation, convolution, input, true),
                torch::zeros({}, GetParam().type));
  expect_same(normalisation->running_mean, mean, "running mean");
}

TEST(BatchNormLayersInBfloat16, RecomputedMapsAreTheSameBits) {
  for (const std::int64_t channels : {6, 12, 16, 32}) {  // 12: four positions side by side
    for (const auto format : {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
      torch::manual_seed(3);
      torch::nn::BatchNorm2d normalisation(channels);
      torch::nn::Conv2d convolution(
          torch::nn::Conv2dOptions(channels, 8, 3).padding(1).bias(false));
      const auto input = torch::randn({4, channels, 10, 10})
                             .to(torch::kBFloat16)
                             .contiguous(format)
                             .requires_grad_(true);
      const auto gradients = [&](bool recomputes) {
        const AutocastScope scope(torch::kCPU, Precision::bfloat16);
        const auto output = norm_relu_conv(normalisation, convolution, input, recomputes);
        return torch::autograd::grad({output.to(torch::kFloat32).square().sum()},
                                     {input, normalisation->weight, convolution->weight});
      };
      const auto expected = gradients(false);
      const auto actual = gradients(true);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        expect_same(actual[i], expected[i],
                    std::to_string(channels) + " channels, result " + std::to_string(i));
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Settings, BatchNormLayers,
    ::testing::Values(Setting{torch::MemoryFormat::Contiguous, torch::kFloat32, false},
                      Setting{torch::MemoryFormat::Contiguous, torch::kFloat64, true},
                      Setting{torch::MemoryFormat::ChannelsLast, torch::kFloat32, true},
                      Setting{torch::MemoryFormat::ChannelsLast, torch::kFloat64, false}));

}  // namespace
}  // namespace mlaan::testing

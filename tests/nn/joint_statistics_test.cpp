#include "support/closeness.h"

#include <mlaan/nn/batch_peers.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/loss.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <array>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace mlaan::testing {
namespace {

/// Two processes as threads, which meet in every call.
class Meeting {
 public:
  /// \return what both have brought.
  std::array<torch::Tensor, 2> exchange(std::size_t own, const torch::Tensor& brought) {
    std::unique_lock<std::mutex> lock(mutex_);
    both_[own] = brought.clone();
    if (++arrived_ == 2) {
      met_ = both_;
      arrived_ = 0;
      ++meetings_;
      changed_.notify_all();
      return met_;
    }
    const int before = meetings_;
    changed_.wait(lock, [&] { return meetings_ != before; });
    return met_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<torch::Tensor, 2> both_;
  std::array<torch::Tensor, 2> met_;
  int arrived_ = 0;
  int meetings_ = 0;
};

class ThreadPeers final : public BatchPeers {
 public:
  ThreadPeers(Meeting& meeting, std::size_t own) : meeting_(meeting), own_(own) {}
  void sum(const torch::Tensor& numbers, const std::string&) override {
    const auto both = meeting_.exchange(own_, numbers);
    numbers.copy_(both[0] + both[1]);
  }
  Gathered gather(const torch::Tensor& rows, const std::string&) override {
    const auto both = meeting_.exchange(own_, rows.detach());
    return {torch::cat({both[0], both[1]}), own_ == 0 ? 0 : both[0].size(0)};
  }

 private:
  Meeting& meeting_;
  std::size_t own_;
};

/// Does the work in two threads, each with its peers.
void run_both(const std::function<void(std::size_t, const std::shared_ptr<BatchPeers>&)>& work) {
  Meeting meeting;
  std::vector<std::thread> threads;
  for (std::size_t own = 0; own < 2; ++own) {
    threads.emplace_back([&, own] { work(own, std::make_shared<ThreadPeers>(meeting, own)); });
  }
  for (auto& thread : threads) thread.join();
}

/// A layer of the given normalisation; `module` holds the parameters of all that it is made of.
struct Layer {
  torch::nn::BatchNorm2d norm{nullptr};
  torch::nn::Conv2d convolution{nullptr};
  std::function<torch::Tensor(Layer&, const torch::Tensor&)> forward;
};

Layer make_layer(std::int64_t channels,
                 const std::function<torch::Tensor(Layer&, const torch::Tensor&)>& forward) {
  torch::manual_seed(5);
  Layer layer;
  layer.norm = torch::nn::BatchNorm2d(channels);
  layer.norm->to(torch::kFloat64);
  torch::nn::init::uniform_(layer.norm->weight, 0.5, 2);
  torch::nn::init::uniform_(layer.norm->bias, -1, 1);
  layer.convolution =
      torch::nn::Conv2d(torch::nn::Conv2dOptions(channels, 4, 3).padding(1).bias(false));
  layer.convolution->to(torch::kFloat64);
  layer.forward = forward;
  return layer;
}

/// What a forward and a backward pass come to.
struct Passed {
  torch::Tensor output;
  std::vector<torch::Tensor> gradients;  ///< of the input, and of all parameters
  std::vector<torch::Tensor> running;
};

Passed pass(Layer& layer, const torch::Tensor& images, const torch::Tensor& gradient) {
  const auto input = images.detach().requires_grad_();
  Passed passed;
  passed.output = layer.forward(layer, input);
  passed.output.backward(gradient);
  passed.output = passed.output.detach();
  passed.gradients = {input.grad(), layer.norm->weight.grad(), layer.norm->bias.grad()};
  if (layer.convolution->weight.grad().defined()) {
    passed.gradients.push_back(layer.convolution->weight.grad());
  }
  passed.running = {layer.norm->running_mean, layer.norm->running_var};
  return passed;
}

/// Three images of one process and five of another against all eight by LibTorch's operators.
void expect_as_whole(std::int64_t channels, bool channels_last,
                     const std::function<torch::Tensor(Layer&, const torch::Tensor&)>& reference,
                     const std::function<torch::Tensor(Layer&, const torch::Tensor&)>& forward) {
  SCOPED_TRACE(std::to_string(channels) + (channels_last ? ", channels last" : ""));
  const auto format =
      channels_last ? torch::MemoryFormat::ChannelsLast : torch::MemoryFormat::Contiguous;
  torch::manual_seed(7);
  // The two processes' images differ in mean and deviation.
  const auto images = torch::cat({torch::randn({3, channels, 4, 6}, torch::kFloat64) * 2 + 1,
                                  torch::randn({5, channels, 4, 6}, torch::kFloat64)})
                          .contiguous(format);
  Layer whole = make_layer(channels, reference);
  const auto shape = whole.forward(whole, images).sizes().vec();
  const auto gradient = torch::randn(shape, torch::kFloat64).contiguous(format);
  whole = make_layer(channels, reference);
  const Passed expected = pass(whole, images, gradient);
  std::array<Passed, 2> parts;
  run_both([&](std::size_t own, const std::shared_ptr<BatchPeers>& peers) {
    static std::mutex making;  // layers draw from one generator
    std::unique_lock<std::mutex> lock(making);
    Layer layer = make_layer(channels, forward);
    lock.unlock();
    const JointStatisticsScope scope(peers);
    const std::int64_t first = own == 0 ? 0 : 3;
    const std::int64_t count = own == 0 ? 3 : 5;
    parts[own] = pass(layer, images.narrow(0, first, count), gradient.narrow(0, first, count));
  });
  const double close = 1e-12;
  expect_close(torch::cat({parts[0].output, parts[1].output}), expected.output, close, "output");
  expect_close(torch::cat({parts[0].gradients[0], parts[1].gradients[0]}), expected.gradients[0],
               close, "gradient of the input");
  ASSERT_EQ(parts[0].gradients.size(), expected.gradients.size());
  for (std::size_t i = 1; i < expected.gradients.size(); ++i) {
    expect_close(parts[0].gradients[i] + parts[1].gradients[i], expected.gradients[i], close,
                 "gradient " + std::to_string(i));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    expect_close(parts[0].running[i], expected.running[i], close, "running statistics");
    expect_same(parts[1].running[i], parts[0].running[i], "running statistics");
  }
}

TEST(JointStatistics, AreThoseOfTheWholeBatchForwardAndBackward) {
  const auto bare = [](Layer& layer, const torch::Tensor& input) { return layer.norm(input); };
  for (const std::int64_t channels : {3, 16, 24}) {
    for (const bool last : {false, true}) {
      expect_as_whole(channels, last, bare, [](Layer& layer, const torch::Tensor& input) {
        return plain_norm(layer.norm, input);
      });
      expect_as_whole(
          channels, last,
          [&](Layer& layer, const torch::Tensor& input) { return bare(layer, input).relu(); },
          [](Layer& layer, const torch::Tensor& input) { return norm_relu(layer.norm, input); });
      expect_as_whole(
          channels, last,
          [&](Layer& layer, const torch::Tensor& input) {
            return (bare(layer, input) + input).relu();
          },
          [](Layer& layer, const torch::Tensor& input) {
            return norm_add_relu(layer.norm, input, input.clone());
          });
      for (const bool recomputes : {false, true}) {
        expect_as_whole(
            channels, last,
            [&](Layer& layer, const torch::Tensor& input) {
              return layer.convolution(bare(layer, input).relu());
            },
            [=](Layer& layer, const torch::Tensor& input) {
              return norm_relu_conv(layer.norm, layer.convolution, input, recomputes);
            });
      }
    }
  }
}

TEST(JointStatistics, ALayerInEvaluationUsesItsRunningOnes) {
  Layer layer = make_layer(3, {});
  layer.norm->eval();
  const auto images = torch::randn({2, 3, 4, 4}, torch::kFloat64);
  const auto expected = layer.norm(images);
  run_both([&](std::size_t own, const std::shared_ptr<BatchPeers>& peers) {
    if (own == 1) return;  // nobody waits for it
    const JointStatisticsScope scope(peers);
    expect_same(plain_norm(layer.norm, images), expected, "evaluation");
  });
}

/// Three samples of one process and five of another against all eight.
void expect_joint_loss_of_all(const Loss& loss) {
  torch::manual_seed(11);
  const auto samples = torch::randn({8, 6}, torch::kFloat64);
  const auto labels = torch::tensor({0, 1, 2, 0, 1, 2, 2, 1}, torch::kInt64);
  const auto whole = samples.clone().requires_grad_();
  const auto expected = loss.function(whole, {labels, {}});
  expected.backward();
  std::array<torch::Tensor, 2> gradients;
  std::array<torch::Tensor, 2> values;
  run_both([&](std::size_t own, const std::shared_ptr<BatchPeers>& peers) {
    const std::int64_t first = own == 0 ? 0 : 3;
    const std::int64_t count = own == 0 ? 3 : 5;
    const auto part = samples.narrow(0, first, count).clone().requires_grad_();
    const auto value = joint_loss(loss, part, labels.narrow(0, first, count), *peers);
    value.backward();
    // The factor by which an engine multiplies a process's gradients.
    gradients[own] = part.grad() * (static_cast<double>(count) / 8);
    values[own] = value.detach();
  });
  expect_close(torch::cat({gradients[0], gradients[1]}), whole.grad(), 1e-12, loss.name);
  for (const auto& value : values) expect_close(value, expected.detach(), 1e-12, loss.name);
}

TEST(JointLoss, IsThatOfTheWholeBatchWithItsGradient) {
  expect_joint_loss_of_all(*similarity_matching(3));
  expect_joint_loss_of_all(*supervised_contrastive());
  EXPECT_FALSE(cross_entropy()->compares_samples());
}

}  // namespace
}  // namespace mlaan::testing

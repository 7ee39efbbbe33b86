#include "measure/machine_memory.h"

#include <mlaan/measure/cost.h>
#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <thread>

namespace mlaan::testing {
namespace {

using namespace mlaan::measure;

std::int64_t of_kind(const BytesByKind& bytes, MemoryKind kind) {
  return bytes.at(static_cast<std::size_t>(kind));
}

TEST(Memory, LiveBytesAreThoseOfTheTensors) {
  const auto before = read_memory(torch::kCPU).live;
  {
    const auto tensor = torch::empty({1000}, torch::kFloat32);
    EXPECT_EQ(read_memory(torch::kCPU).live - before, 4000);
    const auto view = tensor.slice(0, 10);
    EXPECT_EQ(read_memory(torch::kCPU).live - before, 4000);
  }
  EXPECT_EQ(read_memory(torch::kCPU).live, before);
}

TEST(Memory, MoreThanTheMachineHasIsNotGivenOut) {
  // Each would be given out by itself, and nothing of it is ever written to.
  const std::int64_t most = machine_bytes() / 10 * 6;
  const auto first = torch::empty({most}, torch::kUInt8);
  try {
    const auto second = torch::empty({most}, torch::kUInt8);
    FAIL() << "two blocks of more than half of the machine's memory";
  } catch (const c10::Error& error) {
    EXPECT_NE(std::string(error.what()).find("not enough memory"), std::string::npos);
  }
}

TEST(Memory, PeakIsTheHighestSinceTheReset) {
  reset_peak(torch::kCPU);
  const auto before = read_memory(torch::kCPU).peak;
  torch::empty({1 << 20}, torch::kUInt8);
  const auto small = torch::empty({1 << 10}, torch::kUInt8);
  EXPECT_EQ(read_memory(torch::kCPU).peak - before, 1 << 20);
  reset_peak(torch::kCPU);
  EXPECT_EQ(read_memory(torch::kCPU).peak, read_memory(torch::kCPU).live);
}

TEST(Memory, KindsFollowScopesAndMarks) {
  const auto before = read_memory(torch::kCPU).live_by_kind;
  const auto grown = [&](MemoryKind kind) {
    return of_kind(read_memory(torch::kCPU).live_by_kind, kind) - of_kind(before, kind);
  };
  torch::Tensor tensor;
  {
    const MemoryKindScope scope(MemoryKind::optimizer_state);
    tensor = torch::empty({100}, torch::kUInt8);
  }
  EXPECT_EQ(grown(MemoryKind::optimizer_state), 100);
  mark(tensor, MemoryKind::gradients);
  EXPECT_EQ(grown(MemoryKind::optimizer_state), 0);
  EXPECT_EQ(grown(MemoryKind::gradients), 100);
}

TEST(Memory, PeakRemembersItsSplit) {
  reset_peak(torch::kCPU);
  const auto before = read_memory(torch::kCPU).live_by_kind;
  {
    const MemoryKindScope scope(MemoryKind::parameters);
    torch::empty({5000}, torch::kUInt8);
  }
  const auto peak = read_memory(torch::kCPU).peak_by_kind;
  EXPECT_EQ(of_kind(peak, MemoryKind::parameters) - of_kind(before, MemoryKind::parameters), 5000);
}

TEST(Memory, DataIsCountedByItself) {
  const auto before = read_memory(torch::kCPU);
  const MemoryKindScope scope(MemoryKind::data);
  const auto tensor = torch::empty({300}, torch::kUInt8);
  const auto after = read_memory(torch::kCPU);
  EXPECT_EQ(after.live, before.live);
  EXPECT_EQ(of_kind(after.live_by_kind, MemoryKind::data) -
                of_kind(before.live_by_kind, MemoryKind::data),
            300);
}

TEST(Memory, BlocksMayBeFreedByAnotherThread) {
  const auto before = read_memory(torch::kCPU).live;
  auto tensor = torch::empty({1000}, torch::kUInt8);
  std::thread([moved = std::move(tensor)] {}).join();
  EXPECT_EQ(read_memory(torch::kCPU).live, before);
}

TEST(MultiplyAdds, OfConvolutionForwardAndBackward) {
  torch::nn::Conv2d layer(torch::nn::Conv2dOptions(3, 8, 3).padding(1).bias(false));
  const auto input = torch::randn({2, 3, 10, 10}).requires_grad_(true);
  const std::int64_t forward = 2LL * 8 * 10 * 10 * 3 * 9;
  const MultiplyAddCounter counter;
  const auto output = layer(input).sum();
  EXPECT_EQ(counter.count(), forward);
  output.backward();
  EXPECT_EQ(counter.count(), 3 * forward);
}

TEST(MultiplyAdds, WhatAutogradDoesNotAskForIsNotCounted) {
  torch::nn::Conv2d layer(torch::nn::Conv2dOptions(3, 8, 3).padding(1).bias(false));
  const auto input = torch::randn({2, 3, 10, 10});
  const std::int64_t forward = 2LL * 8 * 10 * 10 * 3 * 9;
  const MultiplyAddCounter counter;
  layer(input).sum().backward();
  EXPECT_EQ(counter.count(), 2 * forward) << "the input's gradient is not needed";
}

TEST(MultiplyAdds, OfLinearLayersAndGroupedConvolutions) {
  const MultiplyAddCounter counter;
  torch::nn::Linear linear(5, 7);
  linear(torch::randn({4, 5})).sum().backward();
  EXPECT_EQ(counter.count(), 2 * 4 * 5 * 7);
  const auto before = counter.count();
  torch::nn::Conv2d grouped(torch::nn::Conv2dOptions(8, 8, 3).padding(1).groups(4).bias(false));
  const torch::NoGradGuard no_grad;
  grouped(torch::randn({1, 8, 6, 6}));
  EXPECT_EQ(counter.count() - before, 8 * 6 * 6 * 2 * 9);
}

}  // namespace
}  // namespace mlaan::testing

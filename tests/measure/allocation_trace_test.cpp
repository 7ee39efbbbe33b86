#include <mlaan/core/error.h>
#include <mlaan/measure/allocation_trace.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

using namespace mlaan::measure;

AllocationTrace trace_of(std::int64_t rows) {
  const AllocationRecorder recorder;
  const auto constant = torch::empty({1000}, torch::kUInt8);
  {
    const auto map = torch::empty({rows, 500}, torch::kUInt8);
    const MemoryKindScope scope(MemoryKind::data);
    const auto left_out = torch::empty({100000}, torch::kUInt8);
  }
  const auto kept = torch::empty({rows, 100}, torch::kUInt8);
  return recorder.take();
}

TEST(AllocationTrace, LevelsRiseAndFallWithTheBlocks) {
  EXPECT_EQ(levels(trace_of(2)), (std::vector<std::int64_t>{1000, 2000, 1000, 1200}));
}

TEST(AllocationTrace, OfALargerBatchFollowsFromTwoSmallOnes) {
  EXPECT_EQ(levels(extrapolate(trace_of(2), 2, trace_of(4), 4, 64)), levels(trace_of(64)));
}

TEST(AllocationTrace, DifferentWorkCannotBeExtrapolated) {
  AllocationTrace longer = trace_of(4);
  longer.push_back({nullptr, 1});
  EXPECT_THROW(extrapolate(trace_of(2), 2, longer, 4, 64), Error);
}

TEST(AllocationTrace, OneRecorderAtATime) {
  const AllocationRecorder recorder;
  EXPECT_THROW(AllocationRecorder(), Error);
}

}  // namespace
}  // namespace mlaan::testing

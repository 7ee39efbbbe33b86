#include "support/configured.h"
#include "support/errors.h"

#include <mlaan/measure/memory.h>
#include <mlaan/train/benchmark.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

Settings small(const std::vector<std::string>& more = {}) {
  return configured(
      {"model=resnet8", "batch_size=16", "procedural.train_size=16", "procedural.test_size=4"},
      more);
}

std::int64_t live(measure::MemoryKind kind) {
  return measure::read_memory(torch::kCPU).live_by_kind.at(static_cast<std::size_t>(kind));
}

TEST(Benchmark, MethodsOfOneRunDifferInTheirOwnSettings) {
  const Settings config = small();
  BenchmarkOptions options;
  options.methods = {"checkpoint:checkpoint.segments=2", "checkpoint:checkpoint.segments=4",
                     "mlm:modules=2", "mlm:modules=4:engine.recompute=unit"};
  options.repeats = 1;
  options.warmup = 0;
  const auto results = run_benchmark(config, options, [](const std::string&) {});
  ASSERT_EQ(results.size(), 5U) << "the reference is measured too";
  EXPECT_EQ(results[0].spec.text, "e2e");
  EXPECT_DOUBLE_EQ(results[0].peak_ratio, 1);
  for (std::size_t i = 1; i < results.size(); ++i) {
    EXPECT_EQ(results[i].spec.text, options.methods[i - 1]);
  }
  EXPECT_EQ(results[1].modules, 2);
  EXPECT_EQ(results[2].modules, 4);
  EXPECT_EQ(results[3].modules, 2);
  EXPECT_EQ(results[4].modules, 4);
  EXPECT_LT(results[1].peak_ratio, 1);
  EXPECT_LT(results[4].peak_bytes, results[3].peak_bytes) << "recomputation";
  EXPECT_GT(results[4].multiply_adds, results[3].multiply_adds) << "recomputation";
}

TEST(Benchmark, WorkIsThatOfOperatorsAsDefined) {
  const Settings config =
      small({"model=resnet14", "infopro.lambda1_last=1", "engine.memory_format=contiguous"});
  BenchmarkOptions options;
  options.methods = {"dgl", "infopro"};
  options.repeats = 1;
  options.warmup = 0;
  const auto results = run_benchmark(config, options, [](const std::string&) {});
  ASSERT_EQ(results.size(), 3U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(results[i].executed_multiply_adds, results[i].multiply_adds) << results[i].spec.text;
  }
  EXPECT_LT(results[2].executed_multiply_adds, results[2].multiply_adds)
      << "decoders of small maps mix channels first";
}

TEST(Benchmark, TheReferenceRecomputesNothingUnlessItsOwnSettingsSaySo) {
  const Settings config = small({"engine.recompute=unit"});
  BenchmarkOptions options;
  options.methods = {"e2e:engine.recompute=unit"};
  options.repeats = 1;
  options.warmup = 0;
  const auto results = run_benchmark(config, options, [](const std::string&) {});
  ASSERT_EQ(results.size(), 2U);
  EXPECT_EQ(results[0].spec.text, "e2e");
  EXPECT_LT(results[1].peak_ratio, 0.9);
  EXPECT_GT(results[1].multiply_add_ratio, 1.2);
}

TEST(Benchmark, ContestantsHoldNoActivationsBetweenSteps) {
  const Settings config = small();
  BenchmarkOptions options;
  options.methods = {"e2e", "checkpoint", "dgl", "mlm", "mlaan"};
  options.repeats = 2;
  options.warmup = 1;
  const auto before = live(measure::MemoryKind::activations);
  std::vector<std::int64_t> between;
  const auto results = run_benchmark(config, options, [&](const std::string& what) {
    if (what.compare(0, 5, "round") != 0) return;
    between.push_back(live(measure::MemoryKind::activations) - before);
    EXPECT_EQ(live(measure::MemoryKind::gradients), 0) << what;
  });
  ASSERT_EQ(between.size(), 2U);
  EXPECT_EQ(between[0], between[1]);
  // Of one method: 16 images of 3×32×32 are 196,608 bytes, a map of the first stage 1 MiB.
  EXPECT_LT(between[0], 1 << 20);
  EXPECT_GT(results.front().peak_bytes, 10 << 20);
}

TEST(Benchmark, StoppedItGivesTheRoundsThatAllMethodsHaveDone) {
  const Settings config = small();
  BenchmarkOptions options;
  options.methods = {"e2e", "dgl"};
  options.repeats = 3;
  options.warmup = 1;
  const auto silent = [](const std::string&) {};
  // Asked twice for the bytes, twice in the warm-up, twice in each round.
  const auto results_after = [&](int answers) {
    return run_benchmark(config, options, silent, [&] { return answers-- == 0; });
  };
  for (const int answers : {0, 1, 3, 4, 5}) {
    EXPECT_TRUE(results_after(answers).empty()) << answers;
  }
  for (const int answers : {6, 7}) {
    const auto results = results_after(answers);
    ASSERT_EQ(results.size(), 2U) << answers;
    for (const auto& result : results) {
      EXPECT_EQ(result.steps, 1) << answers;
      EXPECT_EQ(result.step_seconds_lowest, result.step_seconds_highest) << answers;
      EXPECT_GT(result.step_seconds, 0) << answers;
    }
  }
  EXPECT_EQ(results_after(100).back().steps, 3);
}

TEST(Benchmark, PlansThatCannotBeMadeAreRefusedBeforeAnythingIsMeasured) {
  const Settings config = small();
  BenchmarkOptions options;
  options.methods = {"dgl", "mlm:mlm.window=4:modules=3"};
  const auto nothing_measured = [](const std::string& what) { ADD_FAILURE() << what; };
  expect_user_error([&] { run_benchmark(config, options, nothing_measured); }, {"window of 4"});
  options.methods = {"dgl", "mlm:modules=9"};
  expect_user_error([&] { run_profiles(config, options, nothing_measured); }, {"1 to 4"});
}

}  // namespace
}  // namespace mlaan::testing

#include "core/samples_in_parallel.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace mlaan::testing {
namespace {

class SamplesInParallel : public ::testing::Test {
 protected:
  void SetUp() override { at::set_num_threads(2); }
  void TearDown() override { at::set_num_threads(threads_before_); }

 private:
  int threads_before_ = at::get_num_threads();
};

TEST_F(SamplesInParallel, EverySampleIsInOneCallOfSoManyAtMost) {
  for (const std::int64_t count : {0, 1, 3, 4, 5, 37}) {
    std::mutex mutex;
    std::vector<int> calls(static_cast<std::size_t>(count), 0);
    std::int64_t most = 0;
    for_samples_in_parallel(count, 4, [&](auto /*worker*/, std::int64_t first, std::int64_t some) {
      const std::lock_guard<std::mutex> lock(mutex);
      most = std::max(most, some);
      for (std::int64_t i = 0; i < some; ++i) ++calls.at(static_cast<std::size_t>(first + i));
    });
    EXPECT_EQ(calls, std::vector<int>(calls.size(), 1)) << count;
    EXPECT_LE(most, 4) << count;
  }
}

TEST_F(SamplesInParallel, ThreadsShareThem) {
#ifndef MLAAN_HAS_OPENMP
  GTEST_SKIP() << "the compiler has no OpenMP";
#endif
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::set<std::int64_t> workers;
  for_samples_in_parallel(64, 8, [&](std::int64_t worker, auto /*first*/, auto /*samples*/) {
    const std::lock_guard<std::mutex> lock(mutex);
    threads.insert(std::this_thread::get_id());
    workers.insert(worker);
  });
  EXPECT_EQ(threads.size(), 2U);
  EXPECT_EQ(workers, (std::set<std::int64_t>{0, 1}));
}

TEST_F(SamplesInParallel, AllRecordAsTheirCallerDoes) {
  for (const bool records : {false, true}) {
    const torch::AutoGradMode mode(records);
    std::mutex mutex;
    std::set<bool> recording;
    for_samples_in_parallel(64, 8, [&](auto /*worker*/, auto /*first*/, auto /*samples*/) {
      const std::lock_guard<std::mutex> lock(mutex);
      recording.insert(torch::GradMode::is_enabled());
    });
    EXPECT_EQ(recording, std::set<bool>{records});
  }
}

TEST_F(SamplesInParallel, ErrorsReachTheCaller) {
  EXPECT_THROW(for_samples_in_parallel(64, 8,
                                       [](auto /*worker*/, std::int64_t first, auto /*samples*/) {
                                         if (first == 56) throw std::runtime_error("the last one");
                                       }),
               std::runtime_error);
}

}  // namespace
}  // namespace mlaan::testing

// Runs the tests with the counting allocator in place, each from the same random state: LibTorch
// seeds its generator from the clock. `--gtest_random_seed=N` tries others. What the program keeps
// for its user is kept in a folder that is gone afterwards.
#include "support/temporary_folder.h"

#include <mlaan/measure/memory.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace {

class SameRandomState : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override {
    torch::manual_seed(static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)));
  }
};

}  // namespace

int main(int argc, char** argv) {
  mlaan::measure::install_counting_allocator();
  const mlaan::testing::TemporaryFolder cache;
  setenv("XDG_CACHE_HOME", cache.path().c_str(), 1);
  ::testing::InitGoogleTest(&argc, argv);
  // GoogleTest owns and deletes it.
  ::testing::UnitTest::GetInstance()->listeners().Append(new SameRandomState);
  return RUN_ALL_TESTS();
}
